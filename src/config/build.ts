/** Makes the configuration from what was read: names are looked up, overlaps and conflicts found. */
import { type ChannelConfig, channelTable } from './channels.ts';
import type { Config } from './config.ts';
import { Draft } from './draft.ts';
import { channelsOf } from './lookup.ts';
import { sourcesOf } from './lookup-sources.ts';
import type { ConfigNode, Path } from './node.ts';
import { findOverlaps, type Overlap } from './overlap.ts';
import { type Problems, quote, showPath } from './problems.ts';
import { RULES } from './rules.ts';
import type { RawConfig } from './schema.ts';
import type { SecretFiles } from './secret-file.ts';
import { parseTemplate, type Template } from './template.ts';
import { noteWarnings } from './warnings.ts';

/** Where the values of a configuration came from. */
export interface Written {
  /** The tree of the file, for places. */
  readonly root: ConfigNode;
  readonly secrets: SecretFiles;
}

/** `written` is absent where there is no file. Throws `ConfigError` with all problems. */
export function buildConfig(raw: RawConfig, problems: Problems, written?: Written): Config {
  const draft = new Draft(raw, written?.root, problems, written?.secrets ?? new Map());
  const sources = sourcesOf(draft);
  const channels: ChannelConfig[] = channelsOf(draft, sources);
  noteOverlaps(draft);
  noteConflicts(draft);
  if (problems.any) throw problems.toError();
  noteWarnings(draft, sources);
  const { server, cors, log, limits, allow } = raw;
  return {
    server,
    cors,
    log,
    limits,
    allow,
    sources,
    channels: channelTable(channels),
    origin: written === undefined ? 'none' : 'file',
    warnings: draft.warnings.all,
  };
}

/** How many templates a file may have: every pair of them is compared. */
const MAX_TEMPLATES = 1000;

function noteOverlaps(draft: Draft): void {
  const templates = [...(draft.raw.channels?.keys() ?? [])].flatMap((name): Template[] => {
    const template = parseTemplate(name).value;
    return template && template.variables.length > 0 ? [template] : [];
  });
  const tooMany = templates[MAX_TEMPLATES];
  if (tooMany !== undefined) {
    draft.note(
      ['channels', tooMany.text],
      `the file has more than ${MAX_TEMPLATES} templates`,
      'use fewer with more variables',
    );
    return;
  }
  for (const overlap of findOverlaps(templates)) noteOverlap(draft, overlap);
}

function noteOverlap(draft: Draft, { earlier, later, example }: Overlap): void {
  const path = ['channels', later.text];
  if (example === undefined) {
    draft.note(path, 'the templates up to here are too many and too long to compare', 'use fewer with fewer variables');
    return;
  }
  const message = `matches names that ${quote(earlier.text)}${draft.lineOf(['channels', earlier.text])} matches too, such as ${example}`;
  draft.note(path, message, 'make them differ in a fixed part; exact names may overlap, they win');
}

function noteConflicts(draft: Draft): void {
  const noted = new Map<string, { path: Path; message: string; hint: string | undefined }>();
  for (const rule of RULES) {
    for (const conflict of rule.check(draft.raw)) {
      const keys = [conflict.path, ...conflict.others];
      if (keys.some((key) => draft.problems.touch(key))) continue;
      // What should change may be a default; then the key that was written and clashes with it is named, once.
      const path = keys.find((key) => draft.written(key) !== undefined) ?? conflict.path;
      const once = `${rule.text} ${showPath(path)}`;
      if (!noted.has(once)) noted.set(once, { path, ...wording(conflict, path === conflict.path) });
    }
  }
  for (const { path, message, hint } of noted.values()) draft.note(path, message, hint);
}

function wording(conflict: ReturnType<(typeof RULES)[number]['check']>[number], written: boolean) {
  const { path, message, wanted, hint } = conflict;
  if (wanted === undefined) return { message, hint };
  if (written) return { message, hint: `write ${wanted}` };
  return {
    message: `the default of ${showPath(path)} does not fit: ${message}`,
    hint: `set ${showPath(path)} to ${wanted}`,
  };
}
