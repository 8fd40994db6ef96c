/** `docs/configuration.md`: the reference page, generated from the schema and the rules. */

import { isRecord } from './record.ts';
import { RULES } from './rules.ts';
import { schema } from './schema.ts';
import { type Field, type Fields, isSection } from './section.ts';

/** The text of the page. */
export function referenceMarkdown(): string {
  const tables = sectionsOf(schema.fields, '').map(
    ({ title, doc, fields }) => `### ${title}\n\n${doc}\n\n${table(fields)}`,
  );
  const rules = RULES.map(({ text }) => `- ${text}`).join('\n');
  return `${INTRO}\n\n## Keys\n\n${table(schema.fields)}\n\n${tables.join('\n\n')}\n\n## Rules between keys\n\n${rules}\n`;
}

const INTRO = `# Configuration

<!-- Generated from src/config/schema.ts; a test holds this page equal to it. -->

\`sse-gateway serve --config FILE\` reads one YAML file; \`--config -\` reads it from the standard input. A file needs \`channels\`, and nothing else:

\`\`\`yaml
redis: redis://127.0.0.1:6379
channels:
  prices: {}
  alerts: {pubsub: "app:alerts", format: envelope}
  sensors: {pattern: "sensor:*", event: "{feed}"}
  chat.{room}: {stream: "chat:{room}", replay: 50}
  price: {key: current_price, max_rate: 10/s}
  lobby: {memory: true}
allow: {subscribe: [prices, price, "chat.*", lobby]}
\`\`\`

Without a file, \`serve\` is \`channels: {"*": {memory: true}}\` on 127.0.0.1:8080, and \`serve --redis URL\` makes every pub/sub channel of that Redis a channel.
[config.example.yaml](../config.example.yaml) has every key with its default.

All problems of a file are reported at once, each with its line, what was found and what is wanted. A key that is not known, or not available in this version, is an error.
What is allowed and probably not meant, such as a source that no channel reads or a pattern of \`allow\` that no channel matches, is a warning.

## How values are written

- The file is YAML 1.2 in UTF-8, one document of at most 1 MiB. \`yes\`, \`no\`, \`on\` and \`off\` are text, \`010\` is no number. Anchors and aliases work; tags and merge keys (\`<<\`) do not.
- Durations are a number and \`ms\`, \`s\`, \`m\` or \`h\`: \`500ms\`, \`15s\`, \`1.5m\`. Sizes are a number and \`B\`, \`KiB\`, \`MiB\` or \`GiB\`. Only \`0\` needs no unit.
- \`\${VAR}\` in a value is the environment variable VAR, which must be set; \`\${VAR:-default}\` has a default for one that is unset or empty. What a variable holds is taken as it is: it never becomes YAML structure. Within \`{ }\` and \`[ ]\` write it in quotes. A literal \`\${\` is written \`$\${\`.
- In a Redis URL, user and password are percent-encoded: \`/\` is \`%2F\`, \`#\` is \`%23\`, \`?\` is \`%3F\`, \`@\` is \`%40\`, \`%\` is \`%25\`.
- A URL with a password can stand in a file of its own: \`redis_file: /run/secrets/redis\`. The file holds the URL and nothing else, a line end at its end is dropped, and a relative path begins in the folder of the configuration.

## Channel names and templates

A name is 1 to 255 of the characters \`A-Z a-z 0-9 _ . : @ ~ | + = -\`. Under \`channels\` stand

- exact names, such as \`prices\`;
- templates: \`{var}\` is at least one character without \`.\` and \`:\`, and \`{rest*}\`, as the last variable, takes everything that is left. Every variable must stand in the feed (\`pubsub\`, \`pattern\`, \`stream\` or \`key\`). Between two variables there is some text; where they share a segment (\`{a}-{b}\`) the first takes as little as it can;
- \`"*"\`, in quotes, for every other name.

Exact names win over templates, templates over \`"*"\`. Two templates that can match one name are an error, which shows such a name.
Names that begin with \`__\` are Redis's own: neither \`"*"\` nor a variable matches their beginning.

## Patterns of Redis

\`pattern: "sensor:*"\` reads all Redis channels that match. \`*\` is any run of characters, \`?\` any one, \`[abc]\`, \`[a-z]\` and \`[^abc]\` one of some, and \`\\\` takes the special meaning from what follows. The variables of a template may stand in it, outside of \`[ ]\`: what they hold is letters, digits and \`_ . : @ ~ | + = -\`, so what a client asks for never widens a pattern.
A message may match several patterns; each channel that reads one gets it. A channel with a pattern can be read and not published to.

## Streams and keys

\`chat: {stream: "app:chat"}\` reads the Redis stream that the application writes with \`XADD app:chat * data hello\`. The field \`data\` holds the data, \`event\` the type, \`id\` the publisher's id, and \`end\` with the value \`true\` or \`1\` ends the channel; \`fields\` gives them other names. An entry without a data field is sent whole, as a JSON object in the order of its fields, every value a string; of a repeated field the last counts, and bytes that are no UTF-8 become U+FFFD. An entry with nothing but an end, a type and an id is the end alone.
Published over HTTP, an event is added with \`MAXLEN ~\` and, where \`publish.expire\` is set, \`PEXPIRE\`. With an \`Idempotency-Key\` the same script remembers it, for \`publish.idempotency\`, in a key of its own whose name begins with that of the stream: \`app:chat:once:...\`. The user of the gateway needs the right to both (\`~app:chat*\`), and a Redis that evicts keys may forget it early.

\`price: {key: current_price}\` watches the key that the application sets with \`SET current_price 42\`. What it holds is the data. There is no history: a client gets the value of now, and then the newest after each change.
\`"*": {stream: "*"}\` makes every stream whose name can be asked for a channel, \`"*": {key: "*"}\` every key.

## Conflation

With \`conflate: true\` a channel keeps only its newest event: a client that is slow skips to it, and a new one gets it first (\`replay: all\`, unless something else is written). \`conflate: {key: symbol}\` keeps the newest of each value of the member \`symbol\` of JSON data; \`quote.symbol\` is looked for inside the member \`quote\` too. \`max_rate: 10/s\` sends at most ten times a second: the first event at once, and the newest always.
\`quotes: {pubsub: quotes, conflate: {key: symbol}, follow: always}\` is a snapshot and then live updates for everybody, from plain PUBLISH.

## Redis Sentinel

\`sources: {main: {sentinel: {name: mymaster, nodes: ["10.0.0.1:26379", "10.0.0.2:26379", "10.0.0.3:26379"]}}}\` asks the Sentinels which server is the primary, and goes there. All nodes should be listed, because nothing else is asked: every two seconds each of them says what it knows, and the newest fail-over counts. So a fail-over is followed within seconds, whether the old primary died, hangs, or was cut off and still takes writes.
What an old primary took after it was cut off is lost when it comes back as a replica: that is how Redis works, and \`min-replicas-to-write\` bounds it. The addresses are those that the Sentinels announce, so the gateway must reach the servers by them (behind NAT, \`replica-announce-ip\`).

## Event types

A message has the type that its publisher gave it (\`format: envelope\`, or over HTTP). \`event\` is the type of the others: fixed text, with \`{feed}\` for the name that the message was published under and \`{var}\` for a variable of the channel's name. With \`sensors: {pattern: "sensor:*", event: "{feed}"}\` a page can listen to \`sensor:kitchen\` alone. A name that is no event type, such as one of more than 255 bytes, leaves the type out.

## Pages of other origins

\`cors.origins\` lists the web pages that may use the gateway from elsewhere, in the form that browsers send: scheme, host, and the port where it is not the scheme's own, such as \`https://app.example.com\` or \`http://localhost:3000\`. They are compared exactly: there are no patterns, and \`http\` is not \`https\`. \`["*"]\` alone is any page; together with \`credentials: true\` it is refused. \`null\`, which sandboxed pages and files send, cannot be allowed.`;

interface Titled {
  readonly title: string;
  readonly doc: string;
  readonly fields: Fields;
}

function sectionsOf(fields: Fields, path: string): Titled[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    if (field.presence === 'later') return [];
    const record = isRecord(field.kind);
    const inner = isRecord(field.kind) ? field.kind.entry : field.kind;
    if (!isSection(inner)) return [];
    const title = `${path}${name}${record ? '.NAME' : ''}`;
    return [{ title, doc: field.doc, fields: inner.fields }, ...sectionsOf(inner.fields, `${title}.`)];
  });
}

function table(fields: Fields): string {
  const rows = Object.entries(fields).flatMap(([name, field]) =>
    field.presence === 'later' ? [] : [row(name, field)],
  );
  return ['| key | takes | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function row(name: string, field: Exclude<Field, { presence: 'later' }>): string {
  const inner = isSection(field.kind) || isRecord(field.kind);
  const shown = field.presence === 'given' && field.shown !== '' ? `\`${field.shown}\`` : '';
  return `| ${[`\`${name}\``, inner ? 'see below' : field.kind.wanted, shown, field.doc].map(cell).join(' | ')} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
