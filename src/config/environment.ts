/** `${VAR}` and `${VAR:-default}` in values of the file; `$${` stands for a literal `${`. */
import type { Parsed } from './parsed.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A value after substitution, with the names of the variables that it was made of. */
export interface Substituted {
  readonly text: string;
  readonly variables: readonly string[];
}

/** Puts the variables in. What they hold is taken as it is: never as YAML, never searched for variables again. */
export function substitute(text: string, env: Environment): Parsed<Substituted> {
  const variables: string[] = [];
  let out = '';
  let position = 0;
  for (const match of text.matchAll(/\$\$\{|\$\{([^}]*)(\}?)/g)) {
    out += text.slice(position, match.index);
    position = match.index + match[0].length;
    const [, inside, close] = match;
    if (inside === undefined) {
      out += '${';
      continue;
    }
    const value = lookUp(inside, close === '}', env);
    if (value.value === undefined) return value;
    variables.push(value.value.name);
    out += value.value.text;
  }
  return { value: { text: out + text.slice(position), variables } };
}

function lookUp(inside: string, closed: boolean, env: Environment): Parsed<{ name: string; text: string }> {
  if (!closed) return { problem: 'a ${ is not closed', hint: LITERAL };
  if (inside.includes('${'))
    return { problem: 'a default cannot have another ${ in it', hint: 'give it a value without one' };
  const [, name, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inside) ?? [];
  if (name === undefined)
    return { problem: `what stands between \${ and } is not the name of an environment variable`, hint: LITERAL };
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  // As in a shell, the default also stands in for a variable that is set to nothing.
  if (fallback !== undefined) return { value: { name, text: value === undefined || value === '' ? fallback : value } };
  if (value !== undefined) return { value: { name, text: value } };
  return { problem: `the environment variable ${name} is not set`, hint: `set it, or write \${${name}:-default}` };
}

const LITERAL = `write \${NAME} or \${NAME:-default}; for a literal \${ write $\${`;
