/** Who may do what: the one place where a right is decided. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** What can be asked for. `subscribe` and `publish` are over channels; `admin` is over the gateway. */
export type Right = 'subscribe' | 'publish' | 'admin';

/** Who asks: everybody, or the same user on the same machine, known by the key that `serve` wrote. */
export type Credential = 'nobody' | 'local-key';

/** `unauthenticated`: a credential might help (401). `forbidden`: this one does not (403). */
export type Verdict = 'allowed' | 'unauthenticated' | 'forbidden';

/** What everybody may, as configured under `allow`. Absent is undecided, an empty list is nobody. */
export interface Allow {
  readonly subscribe?: readonly string[] | undefined;
  readonly publish?: readonly string[] | undefined;
  readonly admin?: boolean | readonly string[] | undefined;
}

/** What the policy is made from. */
export interface PolicyOptions {
  readonly allow: Allow;
  /** The key of this run; undefined where none could be written. */
  readonly localKey: string | undefined;
  /** Nothing is configured, and only this machine can connect: everything is open. */
  readonly openToAll: boolean;
  /** Only this machine can connect: reading is open as long as nothing decides it. */
  readonly loopback: boolean;
}

export class Policy {
  readonly #options: PolicyOptions;
  readonly #localKey: Buffer | undefined;

  constructor(options: PolicyOptions) {
    this.#options = options;
    this.#localKey = options.localKey === undefined ? undefined : digest(options.localKey);
  }

  /** Who presents this token. An unknown one is nobody: it takes nothing away from what everybody may. */
  identify(token: string | undefined): Credential {
    if (token === undefined || this.#localKey === undefined) return 'nobody';
    return timingSafeEqual(digest(token), this.#localKey) ? 'local-key' : 'nobody';
  }

  /** Decides one right over one channel, or over all that there is (undefined). Whether the channel exists is not asked. */
  decide(right: Right, channel: string | undefined, credential: Credential): Verdict {
    if (credential === 'local-key' || this.#everybodyMay(right, channel)) return 'allowed';
    return 'unauthenticated';
  }

  /** Decides whether there is anything that this right is granted over. */
  decideAny(right: Right, credential: Credential): Verdict {
    const { allow } = this.#options;
    const granted = allow[right];
    const some = typeof granted === 'object' ? granted.length > 0 : this.#everybodyMay(right, undefined);
    return credential === 'local-key' || some ? 'allowed' : 'unauthenticated';
  }

  #everybodyMay(right: Right, channel: string | undefined): boolean {
    const { allow, openToAll, loopback } = this.#options;
    const granted = allow[right];
    if (granted === undefined) return openToAll || (right === 'subscribe' && loopback);
    if (typeof granted === 'boolean') return granted;
    return granted.some((pattern) => pattern === '*' || (channel !== undefined && matchesPattern(pattern, channel)));
  }
}

/** Whether a name matches a pattern in which `*` stands for any run of characters, the empty one included. */
export function matchesPattern(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
