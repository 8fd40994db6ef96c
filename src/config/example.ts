/** `config.example.yaml`: every key with its description and default, generated from the schema. It can be loaded as it is. */

import { isRecord, type RecordOf } from './record.ts';
import { schema } from './schema.ts';
import { type Fields, isSection, type Later } from './section.ts';

/** The text of the file. */
export function exampleYaml(): string {
  const intro = [
    'The configuration of sse-gateway: every key, with its default where it has one.',
    'Only channels are needed; what you leave out is as it stands here. A key behind a # has no default.',
    `Durations: 500ms 15s 10m 1h. Sizes: 64KiB 1MiB. \${VAR} and \${VAR:-default} take environment variables; $\${ is a literal \${.`,
  ];
  const sections = Object.entries(schema.fields).flatMap(([name, field]) => [[...fieldLines(name, field)].join('\n')]);
  return `${intro.flatMap(comment).join('\n')}\n\n${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

const WIDTH = 110;

/** `hidden`: what is around it is a comment already, so a key without a default need not be one itself. */
function fieldLines(name: string, field: Fields[string], hidden = false): string[] {
  if (field.presence === 'later') return [];
  const hide =
    field.presence === 'optional' && (field.inExample === 'alternative' || (field.inExample === 'comment' && !hidden));
  const lines = valueLines(name, field, hidden || hide);
  return [...comment(field.doc), ...(hide ? lines.map((line) => `#${line}`) : lines)];
}

function valueLines(name: string, field: Exclude<Fields[string], Later>, hidden: boolean): string[] {
  const { kind } = field;
  if (isSection(kind)) return [`${name}:`, ...indent(sectionLines(kind.fields, hidden))];
  if (isRecord(kind)) return [`${name}:`, ...indent(recordLines(kind, hidden))];
  return [`${name}: ${field.presence === 'given' ? field.shown : field.sample}`];
}

function sectionLines(fields: Fields, hidden: boolean): string[] {
  return Object.entries(fields).flatMap(([name, field]) => fieldLines(name, field, hidden));
}

function recordLines({ entry, names }: RecordOf<unknown>, hidden: boolean): string[] {
  return names.examples.flatMap(({ name, value, doc }) => {
    const about = doc === '' ? [] : comment(doc);
    const full = value === '' && isSection(entry);
    return [...about, ...(full ? [`${name}:`, ...indent(sectionLines(entry.fields, hidden))] : [`${name}: ${value}`])];
  });
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function comment(text: string): string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
