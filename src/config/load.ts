/** Loads the configuration: from a YAML file, from a Redis URL, or from nothing. The only file that knows the YAML library. */
import type { Document, Node, ParsedNode, YAMLError } from 'yaml';
import { UsageError } from '../errors.ts';
import { buildConfig } from './build.ts';
import { listenOption, withListen, withoutFile } from './builtin.ts';
import type { Config } from './config.ts';
import type { Environment } from './environment.ts';
import { Lines } from './lines.ts';
import type { Listen } from './listen.ts';
import type { Place } from './node.ts';
import { Problems } from './problems.ts';
import { readConfigText, STDIN_NAME } from './read.ts';
import { homes, schema } from './schema.ts';
import { readSecretFiles } from './secret-file.ts';
import { explainSyntax } from './syntax.ts';
import { buildTree, type SourceNode } from './tree.ts';

/** What `serve` was called with. */
export interface LoadOptions {
  /** The path of a YAML file, or `-` for the standard input. */
  readonly file?: string | undefined;
  /** `serve --redis`: every pub/sub channel of this Redis is a channel. Not together with `file`. */
  readonly redis?: string | undefined;
  /** `serve --listen`: stands in for `server.listen`. */
  readonly listen?: string | undefined;
  /** The address of an inherited socket, which stands in for both. */
  readonly inherited?: Listen | undefined;
  /** For `${VAR}`. */
  readonly env: Environment;
}

/**
 * The configuration to serve. With neither `file` nor `redis` it is one catch-all channel in memory on 127.0.0.1:8080.
 * Throws `ConfigError` with all problems of the file, `UsageError` for a `redis` or `listen` that cannot be read.
 */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const { file, redis, env, inherited } = options;
  const listen = inherited ?? (options.listen === undefined ? undefined : listenOption(options.listen));
  const name = inherited === undefined ? '--listen' : 'the inherited socket';
  if (file === undefined) return buildConfig(withListen(withoutFile(redis), listen), new Problems(name));
  if (redis !== undefined)
    throw new UsageError('give either --config or --redis', { hint: 'write redis: URL into the file' });
  return parseConfig(await readConfigText(file), { file: file === '-' ? STDIN_NAME : file, env, listen });
}

/** The configuration that a text says. `file` is its name in messages. Throws `ConfigError` with all problems. */
export async function parseConfig(
  text: string,
  options: { readonly file: string; readonly env: Environment; readonly listen?: Listen | undefined },
): Promise<Config> {
  const problems = new Problems(options.file, homes);
  const source = await parseYaml(text, problems);
  if (source === undefined) throw problems.toError();
  const root = buildTree(source, options.env, problems);
  const raw = schema.read(root, [], problems);
  if (raw === undefined) throw problems.toError();
  const secrets = await readSecretFiles(raw, options.file);
  return buildConfig(withListen(raw, options.listen), problems, { root, secrets });
}

type Yaml = typeof import('yaml');

/** Loaded here and not above: a start without a file does without the library. */
async function parseYaml(text: string, problems: Problems): Promise<SourceNode | undefined> {
  const yaml = await import('yaml');
  const lines = new Lines(text);
  if (isTooMuch(yaml, text)) {
    problems.add(undefined, [], `has more than ${MOST_TOKENS} words and signs, so it is hardly a configuration`);
    return undefined;
  }
  const document = withoutStackTraces(() => parseDocument(yaml, text));
  noteSyntax(yaml, document, lines, problems);
  const version = document.directives?.yaml;
  if (version?.explicit && version.version !== '1.2')
    problems.add({ line: 1, column: 1 }, [], 'the file is read as YAML 1.2', 'take the line with %YAML out');
  return problems.any ? undefined : toSource(yaml, lines, document.contents, { line: 1, column: 1 });
}

/** Twice what 10,000 channels with their options have. A megabyte of brackets would otherwise take seconds and gigabytes. */
const MOST_TOKENS = 500_000;

function isTooMuch(yaml: Yaml, text: string): boolean {
  // Not many characters are not many tokens.
  if (text.length < MOST_TOKENS / 2) return false;
  let count = 0;
  for (const _ of new yaml.Lexer().lex(text)) {
    count += 1;
    if (count > MOST_TOKENS) return true;
  }
  return false;
}

function parseDocument(yaml: Yaml, text: string): Document.Parsed<ParsedNode> {
  return yaml.parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    prettyErrors: false,
    // Repeated keys are found in `tree.ts`; the library compares each with each.
    uniqueKeys: false,
    logLevel: 'error',
  });
}

/** The library makes an error for everything that is wrong: half a million stack traces would take five seconds. */
function withoutStackTraces<T>(run: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** One problem for each line, without what only follows from the one before. */
function noteSyntax(yaml: Yaml, document: Document.Parsed<ParsedNode>, lines: Lines, problems: Problems): void {
  const ambiguous = document.warnings.filter(({ code }) => code === 'BAD_ALIAS');
  const errors = [...document.errors, ...(document.errors.length > 0 ? ambiguous : [])];
  const seen = new Set<number>();
  for (const error of errors.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    const openQuote = quoteStart(yaml, document, error);
    const place = lines.placeOf(openQuote ?? error.pos[0]);
    if (seen.has(place.line) || (seen.size > 0 && error.code === 'UNEXPECTED_TOKEN')) continue;
    seen.add(place.line);
    const { message, hint } = explainSyntax(error.code, error.message, lines.textOf(place.line));
    problems.add(place, [], message, hint);
    if (openQuote !== undefined) return;
  }
}

/** The library notices an open quote at the end of the file; where it begins is what helps. */
function quoteStart(yaml: Yaml, document: Document.Parsed<ParsedNode>, error: YAMLError): number | undefined {
  if (error.code !== 'MISSING_CHAR' || !error.message.includes('quote')) return undefined;
  let start: number | undefined;
  yaml.visit(document, {
    Scalar(_, node) {
      if (node.range && node.range[0] < error.pos[0] && node.range[1] >= error.pos[0] - 1) start = node.range[0];
    },
  });
  return start;
}

function toSource(yaml: Yaml, lines: Lines, node: Node | null, around: Place): SourceNode {
  if (node === null) return { kind: 'scalar', place: around, text: '', plain: true };
  const place = node.range ? lines.placeOf(node.range[0]) : around;
  if (yaml.isAlias(node)) return { kind: 'alias', place, name: node.source };
  const about = { place, tag: node.tag, anchor: 'anchor' in node ? node.anchor : undefined };
  if (yaml.isSeq<Node | null>(node)) {
    return { ...about, kind: 'list', items: node.items.map((item) => toSource(yaml, lines, item, place)) };
  }
  if (yaml.isMap<Node | null, Node | null>(node)) {
    const entries = node.items.map((pair) => {
      const key = toSource(yaml, lines, pair.key, place);
      return { key, value: toSource(yaml, lines, pair.value, key.place) };
    });
    return { ...about, kind: 'map', entries };
  }
  if (!yaml.isScalar(node)) return { kind: 'scalar', place, text: '', plain: true };
  const plain = node.type === 'PLAIN' || node.type === undefined;
  return { ...about, kind: 'scalar', text: plain ? (node.source ?? '') : String(node.value ?? ''), plain };
}
