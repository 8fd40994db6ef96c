/** A server of one stream that never lies, as small as can be: what the checker is tried on before it judges anybody. */
import { createServer } from 'node:http';
import type { Owner } from '../../support/owner.ts';

/** One entry of its stream. */
export interface Served {
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** Serves `s.1` from memory; entries that are trimmed are announced to those who come back for them. */
export class TruthfulServer {
  readonly #entries: Served[] = [];
  readonly #channel = 's.1';
  #removed = 0;
  readonly #waiting = new Set<() => void>();
  readonly #server = createServer((request, response) => {
    const cursor = request.headers['last-event-id'];
    let next = typeof cursor === 'string' ? this.#indexAfter(cursor) : this.#entries.length;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('retry: 100\n:\n');
    if (next < this.#removed) {
      const data = { channel: this.#channel, reason: 'trimmed', after: cursor, lost: this.#removed - next };
      response.write(`event: gateway.gap\ndata: ${JSON.stringify(data)}\n\n`);
      next = this.#removed;
    }
    const resumed = cursor !== undefined;
    const id =
      next === this.#removed && next > 0 && next < this.#entries.length
        ? `^${this.#entries[next]?.id}`
        : this.#idBefore(next);
    response.write(
      `event: gateway.open\ndata: ${JSON.stringify({ channels: [this.#channel], resumed })}\nid: ${id}\n\n`,
    );
    const write = () => {
      for (; next < this.#entries.length; next += 1) response.write(wire(this.#entries[next]));
    };
    write();
    this.#waiting.add(write);
    response.on('close', () => this.#waiting.delete(write));
  });

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  add(entry: Served): void {
    this.#entries.push(entry);
    for (const write of this.#waiting) write();
  }

  /** Removes all but the newest `length`. */
  trimTo(length: number): void {
    this.#removed = Math.max(this.#removed, this.#entries.length - length);
  }

  listen(): Promise<void> {
    return new Promise((resolve) => void this.#server.listen(0, '127.0.0.1', resolve));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #indexAfter(cursor: string): number {
    return this.#entries.findIndex(({ id }) => id === cursor) + 1;
  }

  #idBefore(index: number): string {
    return this.#entries[index - 1]?.id ?? '0-0';
  }
}

/** Starts one that closes with its owner. */
export async function startTruthfulServer(owner: Owner): Promise<TruthfulServer> {
  const server = new TruthfulServer();
  owner.after(() => server.close());
  await server.listen();
  return server;
}

function wire(entry: Served | undefined): string {
  if (entry === undefined) return '';
  const type = entry.type === 'message' ? '' : `event: ${entry.type}\n`;
  const data = entry.data.split('\n').map((line) => `data: ${line}\n`);
  return `${type}${data.join('')}id: ${entry.id}\n\n`;
}
