/** Writes single values as YAML that the loader reads back as the same text. */
import { escapeInvisible } from './problems.ts';

/** A value of the file: in quotes where it needs them, with `${` as `$${`, so that no variable is put in. */
export function yamlValue(text: string): string {
  return yamlKey(text.replaceAll('${', () => '$${'));
}

/** A key of the file, in quotes where it needs them. */
export function yamlKey(text: string): string {
  return PLAIN.test(text) && !MEANINGFUL.test(text) ? text : escapeInvisible(JSON.stringify(text));
}

/** What needs no quotes anywhere, within brackets and before a colon included. */
const PLAIN = /^[A-Za-z0-9_/](?:[A-Za-z0-9_./:@+~-]*[A-Za-z0-9_./@+~-])?$/;

/** What is no text, to this loader or to an older one. */
const MEANINGFUL = /^(?:null|true|false|yes|no|on|off|y|n)$/i;
