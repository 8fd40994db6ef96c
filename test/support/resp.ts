/** A plain Redis client for tests: commands in, replies out, pipelined as given, no reconnecting. */
import { connect, type Socket } from 'node:net';
import type { Owner } from './owner.ts';

/** What Redis answers; an error reply is a value here, because in a pipeline it belongs to one command. */
export type Reply = string | number | null | Error | Reply[];

/** One connection to Redis. */
export class RespClient {
  readonly #socket: Socket;
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  #received: Buffer = Buffer.alloc(0);
  /** What came without being asked for: messages of subscriptions. */
  readonly pushed: Reply[] = [];

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (bytes) => this.#take(bytes));
    this.#socket.on('error', () => undefined); // 'close' follows and settles what waits
    this.#socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the connection to Redis is closed'));
    });
  }

  /** Sends one command; an error reply rejects. */
  async command(...args: (string | Buffer)[]): Promise<Reply> {
    const [reply] = await this.pipeline([args]);
    if (reply instanceof Error) throw reply;
    return reply ?? null;
  }

  /** Sends all commands in one write and settles with all replies. */
  pipeline(commands: readonly (string | Buffer)[][]): Promise<Reply[]> {
    if (this.#socket.destroyed) return Promise.reject(new Error('the connection to Redis is closed'));
    const replies = commands.map(
      () => new Promise<Reply>((resolve, reject) => void this.#waiting.push({ resolve, reject })),
    );
    this.#socket.write(Buffer.concat(commands.map(encodeCommand)));
    return Promise.all(replies);
  }

  /** How many subscribers heard it. */
  async publish(channel: string, payload: string | Buffer): Promise<number> {
    return Number(await this.command('PUBLISH', channel, payload));
  }

  get closed(): boolean {
    return this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    let offset = 0;
    for (;;) {
      const parsed = parseReply(this.#received, offset);
      if (parsed === undefined) break;
      offset = parsed.next;
      const asked = this.#waiting.shift();
      if (asked === undefined) this.pushed.push(parsed.reply);
      else asked.resolve(parsed.reply);
    }
    this.#received = this.#received.subarray(offset);
  }
}

/** A connection that is closed with its owner. */
export function connectRedis(owner: Owner, port: number): RespClient {
  const client = new RespClient(port);
  owner.after(() => client.close());
  return client;
}

function encodeCommand(args: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = Buffer.from(arg as Buffer);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

interface Parsed {
  readonly reply: Reply;
  readonly next: number;
}

/** One RESP2 reply at `offset`; undefined while it is not whole. */
function parseReply(bytes: Buffer, offset: number): Parsed | undefined {
  const end = bytes.indexOf('\r\n', offset);
  if (end === -1) return undefined;
  const line = bytes.toString('utf8', offset + 1, end);
  const next = end + 2;
  switch (bytes.toString('latin1', offset, offset + 1)) {
    case '+':
      return { reply: line, next };
    case '-':
      return { reply: new Error(line), next };
    case ':':
      return { reply: Number(line), next };
    case '$':
      return parseBulk(bytes, next, Number(line));
    case '*':
      return parseArray(bytes, next, Number(line));
    default:
      throw new Error(`not a RESP2 reply: ${line}`);
  }
}

function parseBulk(bytes: Buffer, start: number, length: number): Parsed | undefined {
  if (length === -1) return { reply: null, next: start };
  if (bytes.length < start + length + 2) return undefined;
  return { reply: bytes.toString('utf8', start, start + length), next: start + length + 2 };
}

function parseArray(bytes: Buffer, start: number, count: number): Parsed | undefined {
  if (count === -1) return { reply: null, next: start };
  const reply: Reply[] = [];
  let next = start;
  for (let index = 0; index < count; index += 1) {
    const parsed = parseReply(bytes, next);
    if (parsed === undefined) return undefined;
    reply.push(parsed.reply);
    next = parsed.next;
  }
  return { reply, next };
}
