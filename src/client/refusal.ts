/** An answer that is not what was asked for, as something people can act on. */
import type { Answer } from './exchange.ts';

/** Why a gateway said no. */
export interface Refusal {
  /** The HTTP status. */
  readonly status: number;
  /** What happened, in one sentence; text from outside, to be escaped where it is shown. */
  readonly message: string;
  /** What to do about it, where that is known. */
  readonly hint: string | undefined;
}

/** How much of an error page is read, in bytes. */
const MAX_PROBLEM_BYTES = 64 * 1024;

/** Reads the refusal from an answer that is no success: its problem+json (RFC 9457), or its status alone. Never throws. */
export async function readRefusal(answer: Answer): Promise<Refusal> {
  const { status } = answer;
  const location = answer.header('location');
  if (status >= 300 && status < 400 && location !== undefined) {
    return {
      status,
      message: `the gateway answered ${status}, a redirect to ${location}`,
      hint: 'redirects are not followed; name the right address by --url',
    };
  }
  const { title, detail } = mediaType(answer) === 'application/problem+json' ? await readProblem(answer) : NO_PROBLEM;
  const name = title === undefined ? `${status}` : `${status} ${title}`;
  const message = detail === undefined ? `the gateway answered ${name}` : `${detail} (${name})`;
  return { status, message, hint: undefined };
}

/** The refusal of an answer that succeeded, but not as a gateway answers. */
export function notAGateway(answer: Answer, wanted: string): Refusal {
  const encoding = answer.header('content-encoding');
  const type = mediaType(answer);
  if (type === wanted && encoding !== undefined) {
    const message = `the answer is compressed (${encoding}) although plain text was asked for`;
    return {
      status: answer.status,
      message,
      hint: 'switch compression off for /events in the proxy before the gateway',
    };
  }
  const message = `the answer is ${type === '' ? 'of no type' : type}, not ${wanted}`;
  return {
    status: answer.status,
    message: `${message} (${answer.status})`,
    hint: 'is this the address of a gateway? name it by --url',
  };
}

/** True where the answer carries `wanted`, uncompressed. */
export function carries(answer: Answer, wanted: string): boolean {
  const encoding = answer.header('content-encoding')?.trim().toLowerCase() ?? 'identity';
  return mediaType(answer) === wanted && encoding === 'identity';
}

/** The whole body as text; undefined where it is longer than `most` bytes or breaks off. */
export async function readText(answer: Answer, most: number = MAX_PROBLEM_BYTES): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer.body) {
      bytes += chunk.length;
      if (bytes > most) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined; // the connection broke; what was read proves nothing
  }
  return Buffer.concat(chunks).toString();
}

/** Reads JSON text into an object whose fields are still unknown; undefined for anything else. */
export function parseObject(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : undefined;
  } catch {
    return undefined; // not JSON
  }
}

const NO_PROBLEM = { title: undefined, detail: undefined };

async function readProblem(answer: Answer): Promise<{ title: string | undefined; detail: string | undefined }> {
  const problem = parseObject(await readText(answer));
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
  return { title: text(problem?.['title']), detail: text(problem?.['detail']) };
}

/** The media type without its parameters, in lower case. */
function mediaType(answer: Answer): string {
  return (answer.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
