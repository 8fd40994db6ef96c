/** `conflate` of a channel: not, down to the newest event, or down to the newest of each key. */
import { fieldName } from './channel-value.ts';
import { type Leaf, orVariable, text } from './kind.ts';
import { integer } from './measure.ts';
import { given, optional, section } from './section.ts';
import { yamlValue } from './yaml-text.ts';

/**
 * `false` keeps every event, `true` the newest alone. With `key` the newest is kept of each value that this member of JSON
 * data has, for `maxKeys` values at most; `quote.symbol` is looked for inside the member `quote` too.
 */
export type ConflateConfig = boolean | { readonly key: string; readonly maxKeys: number };

const byKey = section({
  key: optional(fieldName, 'symbol', 'The member of JSON data by whose value events are told apart.'),
  max_keys: given(integer({ min: 1, max: 1_000_000 }), '10000', 'How many values are kept at most, the newest.'),
});

const WANTED = 'true, false, or a map such as {key: symbol, max_keys: 10000}';

const flag: Leaf<ConflateConfig> = text({
  booleans: true,
  wanted: WANTED,
  schema: { anyOf: [{ type: 'boolean' }, { type: 'string', pattern: orVariable('true|false') }] },
  parse: (value) => {
    if (/^(?:true|false)$/i.test(value)) return { value: value.toLowerCase() === 'true' };
    if (/^(?:yes|on|1)$/i.test(value)) return { hint: 'write true' };
    if (/^(?:no|off|none|0)$/i.test(value)) return { hint: 'write false' };
    return /^[\w-]{1,64}$/.test(value) ? { hint: `write {key: ${yamlValue(value)}}` } : {};
  },
  show,
});

/** true, false, or by key. */
export const conflation: Leaf<ConflateConfig> = {
  wanted: WANTED,
  schema: () => ({ anyOf: [flag.schema(), { ...byKey.schema(), type: 'object', required: ['key'] }] }),
  show,
  read(node, path, problems) {
    if (node.kind !== 'map') return flag.read(node, path, problems);
    const value = byKey.read(node, path, problems);
    if (value === undefined) return;
    if (value.key !== undefined) return { key: value.key, maxKeys: value.max_keys };
    const hint = 'name the member by whose value events are told apart, such as {key: symbol}, or write true';
    if (!problems.touch(path)) problems.add(node.place, path, 'key is missing', hint);
    return;
  },
};

function show(value: ConflateConfig): string {
  if (typeof value === 'boolean') return String(value);
  return `{key: ${yamlValue(value.key)}, max_keys: ${value.maxKeys}}`;
}
