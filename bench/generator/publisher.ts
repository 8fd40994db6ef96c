/** The connections that publish: over HTTP one for each line, to Redis a few for all. */
import { connect, type Socket } from 'node:net';
import { systemClock } from '../../src/clock.ts';
import { Account } from '../../src/load/account.ts';
import { HttpPublishers } from '../../src/load/http-publishers.ts';
import type { Lines } from '../../src/load/lines.ts';
import type { Publishers } from '../../src/load/publisher.ts';
import { localTarget, type Target } from '../../src/load/target.ts';
import { bodyMaker, type Dialect } from './dialect.ts';
import { feedOf } from './lines.ts';
import type { Spec } from './spec.ts';

/** Publishers that are closed in the end. */
export interface OpenPublishers extends Publishers {
  /** Publishes that were refused, or one for each connection that broke. */
  readonly refused: number;
  close(): void;
}

/** Connections to Redis at most: the messages of a line stay in order, because a line stays with its connection. */
const REDIS_CONNECTIONS = 10;

/** Opens the connections that the load needs. */
export function openPublishers({ load, port, publishPort = port, dialect, redis }: Spec, lines: Lines): OpenPublishers {
  if (redis === undefined || load.via === 'http') return openHttp(localTarget(publishPort), dialect, lines);
  const count = Math.min(REDIS_CONNECTIONS, load.publishers);
  const command = load.via === 'stream' ? addCommand : publishCommand;
  const feeds = lines.all.map(({ channel }) => feedOf(channel));
  return new RedisPublishers(redis.port, count, (line, payload) => command(feeds[line] ?? '', payload));
}

function openHttp(target: Target, dialect: Dialect, { all }: Lines): OpenPublishers {
  const account = new Account();
  const makers = all.map(({ channel }) => bodyMaker(dialect, channel));
  const http = new HttpPublishers({
    target,
    connections: all.length,
    path: (line) => dialect.publish.path.replace('{channel}', all[line]?.channel ?? ''),
    body: (line, payload) => makers[line]?.(payload) ?? payload,
    account,
    clock: systemClock,
  });
  return {
    send: (line, payload, free) => http.send(line, payload, free),
    flush: () => http.flush(),
    close: () => http.close(),
    get refused() {
      return account.refused + account.unanswered;
    },
  };
}

/** `PUBLISH`, as bytes. */
function publishCommand(feed: string, payload: string): string {
  return `*3\r\n$7\r\nPUBLISH\r\n$${feed.length}\r\n${feed}\r\n$${payload.length}\r\n${payload}\r\n`;
}

/** `XADD`, as bytes; nothing is trimmed. */
export function addCommand(feed: string, payload: string): string {
  const head = `*5\r\n$4\r\nXADD\r\n$${feed.length}\r\n${feed}\r\n$1\r\n*\r\n$4\r\ndata\r\n`;
  return `${head}$${payload.length}\r\n${payload}\r\n`;
}

/** Commands without waiting for the answers, which are read for errors only; every line is always free. */
export class RedisPublishers implements OpenPublishers {
  refused = 0;
  readonly #sockets: readonly Socket[];
  readonly #collected: string[][];
  readonly #command: (line: number, payload: string) => string;
  #answers = 0;

  constructor(port: number, connections: number, command: (line: number, payload: string) => string) {
    this.#command = command;
    this.#collected = Array.from({ length: connections }, () => []);
    this.#sockets = this.#collected.map(() => this.#open(port));
  }

  /** Commands that were answered. */
  get answered(): number {
    return this.#answers;
  }

  send(line: number, payload: string, free: () => void): void {
    this.#collected[line % this.#collected.length]?.push(this.#command(line, payload));
    free();
  }

  flush(): void {
    for (const [at, commands] of this.#collected.entries()) {
      if (commands.length === 0) continue;
      this.#sockets[at]?.write(commands.join(''), 'latin1');
      this.#collected[at] = [];
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('close').destroy();
  }

  #open(port: number): Socket {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    let before = '\n';
    socket.on('data', (bytes: Buffer) => {
      const text = before + bytes.toString('latin1');
      before = text.slice(-1);
      // Ids hold a `-` as well: an error has it at the beginning of its line.
      if (text.includes('\n-')) this.refused += 1;
      this.#answers += linesThatAnswer(text);
    });
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => {
      this.refused += 1;
    });
    return socket;
  }
}

/** Integers and lengths of strings: every answer has one such line. */
function linesThatAnswer(text: string): number {
  return text.split(/\n[:$]/).length - 1;
}
