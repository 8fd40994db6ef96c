/** A Redis that answers each command as a test says, late, wrongly or not at all. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { RedisAddress } from '../../src/config/redis-url.ts';
import type { Owner } from './owner.ts';
import { Watch } from './wait.ts';

/** Answers a command with bytes of the protocol; undefined for none. */
export type Answer = (command: readonly string[], connection: Connection) => string | undefined;

/** One client of it. */
export interface Connection {
  /** Commands that came, such as `PING`. */
  readonly commands: string[];
  send(bytes: string): void;
  close(): void;
  readonly closed: boolean;
}

/** What a Redis without opinions answers; arguments of SUBSCRIBE and its like are confirmed one by one. */
export const obliging: Answer = ([name = '', ...args]) => {
  const verb = name.toLowerCase();
  if (/^p?(un)?subscribe$/.test(verb)) return args.map((feed) => pushed(verb, feed, 1)).join('');
  return verb === 'publish' ? ':1\r\n' : '+OK\r\n';
};

/** An array as it is pushed to a subscriber; numbers as such. */
export function pushed(...parts: readonly (string | number)[]): string {
  const written = parts.map((part) => (typeof part === 'number' ? `:${part}\r\n` : `$${part.length}\r\n${part}\r\n`));
  return `*${parts.length}\r\n${written.join('')}`;
}

export class ScriptedRedis {
  answer: Answer = obliging;
  readonly connections: Connection[] = [];
  readonly #server: Server;
  readonly #watch = new Watch();

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#connected(socket));
  }

  /** Where it listens. */
  get address(): RedisAddress {
    const { port } = this.#server.address() as AddressInfo;
    return { host: '127.0.0.1', port, db: 0, tls: false };
  }

  /** Every command of every connection, in order of connections. */
  get commands(): string[] {
    return this.connections.flatMap(({ commands }) => commands);
  }

  /** Settles once `probe` holds; looked at whenever something came. */
  until(what: string, probe: () => boolean): Promise<boolean> {
    return this.#watch.until(() => `${what}; the commands: ${this.commands.join(', ')}`, probe);
  }

  #connected(socket: Socket): void {
    let rest = '';
    const connection: Connection = {
      commands: [],
      send: (bytes) => void socket.write(bytes, 'latin1'),
      close: () => void socket.destroy(),
      get closed() {
        return socket.destroyed;
      },
    };
    this.connections.push(connection);
    socket.setEncoding('latin1').on('data', (text: string) => {
      const { commands, rest: left } = parseCommands(rest + text);
      rest = left;
      for (const command of commands) {
        connection.commands.push(command.join(' '));
        const answer = this.answer(command, connection);
        if (answer !== undefined) connection.send(answer);
      }
      this.#watch.changed();
    });
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => this.#watch.changed());
    this.#watch.changed();
  }
}

/** Starts one on any port of the loopback; it is gone with its owner. */
export function startScriptedRedis(owner: Owner): Promise<ScriptedRedis> {
  const server = createServer();
  const redis = new ScriptedRedis(server);
  owner.after(() => {
    for (const connection of redis.connections) connection.close();
    server.close();
  });
  return new Promise((resolve) => void server.listen(0, '127.0.0.1', () => resolve(redis)));
}

/** Whole commands in front of a text whose arguments have no line ends. */
function parseCommands(text: string): { commands: string[][]; rest: string } {
  const commands: string[][] = [];
  let rest = text;
  for (;;) {
    const count = Number(/^\*(\d+)\r\n/.exec(rest)?.[1] ?? 0);
    const lines = rest.split('\r\n');
    if (count === 0 || lines.length < 2 + 2 * count) return { commands, rest };
    commands.push(lines.slice(1, 1 + 2 * count).filter((_, i) => i % 2 === 1));
    rest = lines.slice(1 + 2 * count).join('\r\n');
  }
}
