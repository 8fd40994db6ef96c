/** A proxy between gateway and client that lies about one event: what the checker must catch to be believed. */
import { connect, createServer, type Socket } from 'node:net';
import { ResponseReader } from '../../support/http-reader.ts';
import type { Owner } from '../../support/owner.ts';

/** `move` puts an event some places later; `swap-ids` exchanges the ids of two; the rest is what it is called. */
export const LIES = ['drop', 'repeat', 'swap', 'alter', 'move', 'swap-ids', 'forge-gap', 'hide-gap'] as const;

/** One of `LIES`, or the truth. */
export type Lie = (typeof LIES)[number] | 'none';

/** How many events later a moved one comes. */
const MOVED_BY = 3;

/** Lies once, about the event with the number `at` among those that came. */
export class Liar {
  /** Whether the lie has been told. */
  told = false;
  readonly #lie: Lie;
  readonly #at: number;
  #count = 0;
  #held: string | undefined;
  #due = 0;

  constructor(lie: Lie, at: number) {
    this.#lie = lie;
    this.#at = at;
  }

  /** What is sent on for one block of the stream: an event or a comment, with the blank line. */
  pass(block: string): string {
    const isGap = block.startsWith('event: gateway.gap') || block.startsWith('event:gateway.gap');
    if (this.#lie === 'hide-gap' && isGap) {
      this.told = true;
      return '';
    }
    if (!/^data:/m.test(block) || /^event: ?gateway\./m.test(block)) return block;
    this.#count += 1;
    if (this.#held !== undefined) return this.#release(this.#held, block);
    return this.#count < this.#at || this.told ? block : this.#distort(block);
  }

  #distort(block: string): string {
    switch (this.#lie) {
      case 'none':
      case 'hide-gap':
        return block;
      case 'drop':
        this.told = true;
        return '';
      case 'repeat':
        this.told = true;
        return block + block;
      case 'alter':
        this.told = true;
        return altered(block);
      case 'forge-gap':
        this.told = true;
        return block + forgedGap(block);
      case 'swap':
      case 'swap-ids':
      case 'move':
        this.#held = block;
        this.#due = this.#lie === 'move' ? MOVED_BY : 1;
        return '';
      default:
        return this.#lie satisfies never;
    }
  }

  #release(held: string, block: string): string {
    this.#due -= 1;
    if (this.#due > 0) return block;
    this.#held = undefined;
    this.told = true;
    if (this.#lie !== 'swap-ids') return block + held;
    return withId(held, idOf(block)) + withId(block, idOf(held));
  }
}

/** A proxy in front of a port of this machine, with a liar for each connection. */
export class LyingProxy {
  readonly #target: number;
  readonly #liar: () => Liar;
  readonly #server = createServer((client) => this.#pass(client));
  readonly #sockets = new Set<Socket>();

  constructor(target: number, liar: () => Liar) {
    this.#target = target;
    this.#liar = liar;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => void this.#server.listen(0, '127.0.0.1', resolve));
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(client: Socket): void {
    const upstream = connect({ host: '127.0.0.1', port: this.#target, noDelay: true });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined); // 'close' follows
      socket.on('close', () => other.destroySoon());
    }
    const liar = this.#liar();
    let text = '';
    const reader = new ResponseReader({
      head: ({ status }) => {
        const fields = 'Content-Type: text/event-stream\r\nTransfer-Encoding: chunked';
        client.write(`HTTP/1.1 ${status} Passed on\r\n${fields}\r\n\r\n`);
      },
      body: (bytes) => {
        const blocks = (text + bytes.toString('latin1')).split(/(?<=\n\n|^:\n)/);
        text = blocks.at(-1)?.endsWith('\n') === true && isWhole(blocks.at(-1) ?? '') ? '' : (blocks.pop() ?? '');
        for (const block of blocks) writeChunk(client, liar.pass(block));
      },
      chunkEnd: () => undefined,
      end: () => void client.end('0\r\n\r\n'),
    });
    client.on('data', (bytes) => void upstream.write(bytes));
    upstream.on('data', (bytes) => reader.push(bytes));
  }
}

/** Starts a proxy that closes with its owner. */
export async function startLyingProxy(owner: Owner, target: number, liar: () => Liar): Promise<LyingProxy> {
  const proxy = new LyingProxy(target, liar);
  owner.after(() => proxy.close());
  await proxy.listen();
  return proxy;
}

/** An event, or the greeting and comments, which need no blank line. */
function isWhole(block: string): boolean {
  return block.endsWith('\n\n') || /^(retry: ?\d+\n|:\n)+$/.test(block);
}

function writeChunk(client: Socket, block: string): void {
  if (block === '') return;
  const bytes = Buffer.from(block, 'latin1');
  client.write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]));
}

/** One character of the data becomes another. */
function altered(block: string): string {
  return block.replace(/^(data: ?[0-9a-f]{8} \S+ \S+ )(\d)/m, (_, before: string, digit: string) => {
    return `${before}${(Number(digit) + 1) % 10}`;
  });
}

function idOf(block: string): string {
  return /^id: ?(\S+)$/m.exec(block)?.[1] ?? '';
}

function withId(block: string, id: string): string {
  return block.replace(/^(id: ?)\S+$/m, `$1${id}`);
}

/** A gap that says of the event before it that something is missing behind it. */
function forgedGap(block: string): string {
  const channel = /^data: ?[0-9a-f]{8} (\S+)/m.exec(block)?.[1]?.replace(':', '.');
  const data = JSON.stringify({ channel, reason: 'trimmed', after: idOf(block), lost: null });
  return `event: gateway.gap\ndata: ${data}\nid: ${idOf(block)}\n\n`;
}
