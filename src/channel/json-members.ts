/**
 * The members of a JSON object as they were written, so that what is passed on is byte for byte what was sent.
 *
 * Finding where a value ends needs no parser, only brackets and quotes: it is done first, in one fast walk, so that
 * whatever is far too large can be refused before anybody builds objects of it. Whether a text is JSON at all is then
 * asked of JSON.parse.
 */

/** More members than this are no envelope and no event published in a batch. */
const MOST_MEMBERS = 64;

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
/** What stands behind a number or a word: a space of JSON, or punctuation. */
const ENDS_WORD = new Set([9, 10, 13, 32, COMMA, COLON, CLOSE_BRACKET, CLOSE_BRACE]);

/** Whether a text is JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // that is the answer
  }
}

/**
 * The text of each member's value, by name; undefined where the text is not built like a JSON object of at most `most`
 * members. Of a repeated name the last counts, as JSON.parse has it. Values are only JSON where `isJson` says so of the
 * whole.
 */
export function jsonMembers(text: string, most: number = MOST_MEMBERS): Map<string, string> | undefined {
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== OPEN_BRACE) return undefined;
  const members = new Map<string, string>();
  at = skipSpace(text, at + 1);
  while (text.charCodeAt(at) !== CLOSE_BRACE) {
    const nameEnd = endOfValue(text, at);
    const name = nameOf(text.slice(at, nameEnd));
    const colon = skipSpace(text, nameEnd);
    const start = skipSpace(text, colon + 1);
    const end = endOfValue(text, start);
    if (name === undefined || text.charCodeAt(colon) !== COLON || end === start) return undefined;
    members.set(name, text.slice(start, end));
    if (members.size > most) return undefined;
    const next = behindComma(text, end, CLOSE_BRACE);
    if (next === undefined) return undefined;
    at = next;
  }
  return skipSpace(text, at + 1) === text.length ? members : undefined;
}

/**
 * The text of each element of a JSON array, at most one more than `most`; undefined where the text is not built like
 * an array. Whether the elements are JSON is for whoever reads them to find out.
 */
export function jsonElements(text: string, most: number): string[] | undefined {
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== OPEN_BRACKET) return undefined;
  const elements: string[] = [];
  at = skipSpace(text, at + 1);
  while (text.charCodeAt(at) !== CLOSE_BRACKET) {
    const end = endOfValue(text, at);
    if (end === at) return undefined;
    elements.push(text.slice(at, end));
    if (elements.length > most) return elements;
    const next = behindComma(text, end, CLOSE_BRACKET);
    if (next === undefined) return undefined;
    at = next;
  }
  return skipSpace(text, at + 1) === text.length ? elements : undefined;
}

/** Where the next value begins, or where the closing bracket stands; undefined where neither follows. */
function behindComma(text: string, end: number, close: number): number | undefined {
  const at = skipSpace(text, end);
  if (text.charCodeAt(at) === close) return at;
  const next = skipSpace(text, at + 1);
  return text.charCodeAt(at) === COMMA && text.charCodeAt(next) !== close ? next : undefined;
}

/** Behind the value that begins at `start`: behind its last bracket or quote, or before what ends a number or word. */
function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return endOfString(text, start);
  return first === OPEN_BRACE || first === OPEN_BRACKET ? endOfNest(text, start) : endOfWord(text, start);
}

function endOfNest(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at) - 1;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function endOfWord(text: string, start: number): number {
  let at = start;
  while (at < text.length && !ENDS_WORD.has(text.charCodeAt(at))) at += 1;
  return at;
}

/** Behind the quote that ends the string; a quote behind an odd number of backslashes does not. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return text.length;
}

function nameOf(json: string): string | undefined {
  return json.startsWith('"') && isJson(json) ? (JSON.parse(json) as string) : undefined;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === 32 || (code >= 9 && code <= 13); code = text.charCodeAt(at)) at += 1;
  return at;
}
