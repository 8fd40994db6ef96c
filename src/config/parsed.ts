/** The outcome of reading one piece of text: a value, or what is wrong with it. */

/** `problem` left out means: say what was found and what is wanted. `hint` says what to write instead. */
export type Parsed<T> = { readonly value: T } | Refusal;

export interface Refusal {
  readonly value?: never;
  readonly problem?: string;
  readonly hint?: string;
}

/** True where the text could not be read. */
export function refused<T>(parsed: Parsed<T>): parsed is Refusal {
  return !('value' in parsed);
}
