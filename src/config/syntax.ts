/** What the YAML library calls a syntax error, in words that say what to do. The library's own text may repeat the file and is not shown. */

/** A message and what to write instead. */
export interface Explanation {
  readonly message: string;
  readonly hint?: string;
}

/** The explanation for one of the library's error codes; `detail` is its message and `line` the line of the file, only looked at. */
export function explainSyntax(code: string, detail: string, line: string): Explanation {
  if (/^\s*\{[^{}]*\}[^\s:,}]/.test(line)) {
    return { message: 'a name that begins with { needs quotes', hint: 'write "{room}.chat": and not {room}.chat:' };
  }
  const explanation = EXPLANATIONS[code];
  if (explanation === undefined) {
    return { message: 'this is not YAML', hint: 'look at the quotes, brackets and indentation here and before it' };
  }
  return typeof explanation === 'function' ? explanation(detail) : explanation;
}

const BRACES = `within { } and [ ] what has { in it needs quotes, such as "chat.{room}" and "\${VAR}"`;
const NO_COLON: Explanation = {
  message: 'the colon and the space after the key are missing',
  hint: 'write key: value',
};

const EXPLANATIONS: Readonly<Record<string, Explanation | ((detail: string) => Explanation)>> = {
  TAB_AS_INDENT: { message: 'a tab indents this line', hint: 'YAML is indented with spaces: put two for the tab' },
  BAD_INDENT: explainIndent,
  MULTIPLE_DOCS: { message: 'a second document begins here', hint: 'take the --- out: the file is one document' },
  BAD_ALIAS: {
    message: 'a * at the beginning of a key or value means something else in YAML',
    hint: 'put it in quotes: "*"',
  },
  ALIAS_PROPS: {
    message: 'an alias (*name) cannot have a tag or a name of its own',
    hint: 'take out what stands before it',
  },
  MULTIPLE_ANCHORS: { message: 'this value is named twice with &', hint: 'keep one of the names' },
  MULTIPLE_TAGS: { message: 'tags are not used here', hint: 'write the value alone' },
  BAD_DIRECTIVE: { message: 'a line that begins with % is not used here', hint: 'take it out' },
  MISSING_CHAR: explainMissing,
  MULTILINE_IMPLICIT_KEY: NO_COLON,
  BAD_DQ_ESCAPE: {
    message: 'a backslash begins no known escape here',
    hint: 'within "..." write \\\\ for a backslash, or use single quotes',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a key with values of its own begins on the line of another key',
    hint: 'begin it on a new line, indented, or put a value with ": " in it in quotes',
  },
  BAD_SCALAR_START: (detail) => ({
    message: `a value cannot begin with ${/\S$/.exec(detail)?.[0] ?? 'this'}`,
    hint: 'put it in quotes',
  }),
  BLOCK_IN_FLOW: {
    message: 'a comma is missing within { } or [ ]',
    hint: 'write {key: value, key: value}',
  },
  UNEXPECTED_TOKEN: {
    message: 'this does not belong here',
    hint: `a value in quotes ends with its quote, and each bracket closes one that is open; ${BRACES}`,
  },
  KEY_OVER_1024_CHARS: { message: 'this key is longer than 1024 characters' },
  RESOURCE_EXHAUSTION: { message: 'values are nested too deeply here' },
};

function explainIndent(detail: string): Explanation {
  if (/^Flow map/.test(detail)) return { message: 'a { before this is not closed', hint: 'add the }' };
  if (/^Flow seq/.test(detail)) return { message: 'a [ before this is not closed', hint: 'add the ]' };
  return {
    message: 'this line is indented differently from the ones it belongs to',
    hint: 'begin all keys of one map in the same column',
  };
}

function explainMissing(detail: string): Explanation {
  if (/quote/.test(detail)) return { message: 'the quote that begins here is not closed' };
  if (/^Implicit map keys/.test(detail)) return NO_COLON;
  return { message: 'a comma, colon or closing bracket is missing before this', hint: BRACES };
}
