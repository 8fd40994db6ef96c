/** Errors of Redis as a publisher should see them: which of them prove that nothing was written, and what to do. */
import { GatewayError, SourceDownError } from '../errors.ts';

/** The error for a write that was refused; undefined where it may have happened all the same. */
export function refusal(source: string, error: unknown): GatewayError | undefined {
  if (error instanceof GatewayError) return error;
  if (!(error instanceof Error)) return undefined;
  // The client library did not send it.
  if (/^Stream isn't writeable/.test(error.message)) {
    return nothingWritten(`the source "${source}" is down: the connection was closed`);
  }
  if (error.name !== 'ReplyError') return undefined;
  const message = error.message.replace(/ script: [0-9a-f]{40}.*$/s, '');
  const code = codeOf(message);
  // Redis' own errors begin with a code. Others are those of a proxy, which may have lost the answer.
  if (code === undefined) return undefined;
  const advice = ADVICE[code] ?? 'see the rights and the state of that Redis';
  return nothingWritten(`the source "${source}" refused: ${message}`, advice, error);
}

/** An error that says for certain that nothing was written. */
export function nothingWritten(message: string, advice = 'publish again later', cause?: unknown): SourceDownError {
  return new SourceDownError(message, { hint: `nothing was written; ${advice}`, cause });
}

/** Whether a server refused to write because it is a replica. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError' && codeOf(error.message) === 'READONLY';
}

/** What to do, by the code of the error. */
const ADVICE: Readonly<Record<string, string>> = {
  OOM: 'raise maxmemory of that Redis, or let it evict',
  MISCONF: 'that Redis cannot save to its disk: see its log',
  READONLY: 'that Redis is a replica: give the address of the primary',
  NOPERM: 'give the user of that Redis the rights to write there',
  NOAUTH: 'give a password for that Redis',
  LOADING: 'that Redis is loading its data: publish again later',
  BUSY: 'that Redis is busy running a script: publish again later',
  NOREPLICAS: 'that Redis has too few replicas to write (min-replicas-to-write)',
  WRONGTYPE: 'the key holds a value of another type: remove it, or give the channel another key',
  MOVED: 'that is a Redis Cluster, which is not available in this version',
  CLUSTERDOWN: 'that is a Redis Cluster, which is not available in this version',
  CROSSSLOT: 'that is a Redis Cluster, which is not available in this version',
};

/**
 * Within a script Redis says NOPERM in other words; before Redis 7 every error of it stands behind the place that it
 * came from: `ERR Error running script ...: -OOM ...`.
 */
function codeOf(message: string): string | undefined {
  if (message.startsWith("ERR The user executing the script can't")) return 'NOPERM';
  const inScript = /^ERR Error running script.*?: -?([A-Z]{3,}) /s.exec(message)?.[1];
  return inScript ?? /^(?:@user_script: ?\d+: -?)?([A-Z]{2,})(?: |$)/.exec(message)?.[1];
}
