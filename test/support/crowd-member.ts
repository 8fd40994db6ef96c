/** One client of a crowd: reads fast, knows which number comes next, and can come back where it was. */
import { connect, type Socket } from 'node:net';

/** What the members of a group count together. */
export class Tally {
  resumed = 0;
  gaps = 0;
  complete = 0;
  cut = 0;
  unanswered = 0;
  latencies: number[] = [];
  /** The longest time between two events, whoever they came to. */
  silence = 0;
  /** Errors of connections, by their code. */
  readonly failures = new Map<string, number>();
  readonly oddities = new Set<string>();
  /** Members come back by themselves after their `retry:`. */
  returns: boolean;
  #arrivedAt: number | undefined;

  constructor(returns: boolean) {
    this.returns = returns;
  }

  /** An event that was published at that moment has come. */
  arrived(sentAt: number): void {
    const now = Date.now();
    this.latencies.push(now - sentAt);
    this.silence = Math.max(this.silence, now - (this.#arrivedAt ?? now));
    this.#arrivedAt = now;
  }

  /** Forgets what was measured. */
  measure(): void {
    this.latencies = [];
    this.silence = 0;
    this.#arrivedAt = undefined;
  }

  /** Keeps a few: one is enough to fail. */
  odd(what: string): void {
    if (this.oddities.size < 5) this.oddities.add(what.slice(0, 300));
  }
}

/** Where a member connects. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly version: '1.0' | '1.1';
}

/** How long who got no `retry:` stays away, in milliseconds: about as long as browsers do. */
const NO_RETRY_MS = 2000;

/** Understands the numbers of `numberedMoment` on the channel it follows, from 0 up. */
export class Member {
  next = 0;
  open = false;
  retry: number | undefined;
  endedAt = 0;
  readonly #address: Address;
  readonly #tally: Tally;
  #socket: Socket | undefined;
  #rest = '';
  #inBody = false;
  #complete = false;
  #type = 'message';
  #data = '';
  #id: string | undefined;
  #lastId: string | undefined;

  constructor(address: Address, tally: Tally) {
    this.#address = address;
    this.#tally = tally;
  }

  connect(): void {
    const { host, port, path, version } = this.#address;
    const cursor = this.#lastId === undefined ? '' : `last-event-id: ${this.#lastId}\r\n`;
    this.#rest = '';
    this.#inBody = false;
    this.#complete = false;
    this.endedAt = 0;
    const socket = connect({ host, port, noDelay: true });
    this.#socket = socket;
    socket.write(`GET ${path} HTTP/${version}\r\nhost: ${host}:${port}\r\naccept: text/event-stream\r\n${cursor}\r\n`);
    socket.on('data', (bytes) => {
      if (this.#socket === socket) this.#push(bytes.toString('latin1'));
    });
    socket.on('end', () => {
      if (version === '1.0') this.#complete = true;
    });
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      this.#tally.failures.set(code, (this.#tally.failures.get(code) ?? 0) + 1); // 'close' follows
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#closed();
    });
  }

  drop(): void {
    this.#socket?.destroy();
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  #closed(): void {
    const tally = this.#tally;
    this.open = false;
    this.endedAt = Date.now();
    if (!this.#inBody) tally.unanswered += 1;
    else if (this.#complete) tally.complete += 1;
    else tally.cut += 1;
    if (tally.returns) setTimeout(() => tally.returns && this.connect(), this.retry ?? NO_RETRY_MS);
  }

  #push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.endsWith('\r')) this.#framing(line);
      else this.#line(line);
    }
  }

  /** The head of the response, and the sizes and ends of chunks. */
  #framing(line: string): void {
    if (line.startsWith('HTTP/') && !line.startsWith('HTTP/1.1 200 ')) this.#tally.odd(line);
    if (line === '\r') this.#inBody = true;
    if (this.#inBody && line === '0\r') this.#complete = true;
  }

  #line(line: string): void {
    if (line === '') this.#dispatch();
    else if (line.startsWith('data: ')) this.#data = line.slice(6);
    else if (line.startsWith('id: ')) this.#id = line.slice(4);
    else if (line.startsWith('event: ')) this.#type = line.slice(7);
    else if (line.startsWith('retry: ')) this.retry = Number(line.slice(7));
    else if (line !== ':') this.#tally.odd(line);
  }

  #dispatch(): void {
    this.#lastId = this.#id ?? this.#lastId;
    if (this.#type === 'message') this.#numbered();
    else this.#notice();
    this.#type = 'message';
    this.#id = undefined;
  }

  #numbered(): void {
    const space = this.#data.indexOf(' ');
    const number = Number(this.#data.slice(0, space));
    if (number !== this.next) this.#tally.odd(`${this.#address.path}: ${number} where ${this.next} was due`);
    this.next = number + 1;
    this.#tally.arrived(Number(this.#data.slice(space + 1, space + 14)));
  }

  #notice(): void {
    if (this.#type === 'gateway.open') {
      this.open = true;
      if (this.#data.includes('"resumed":true')) this.#tally.resumed += 1;
    } else if (this.#type === 'gateway.gap') {
      this.#tally.gaps += 1;
      this.#tally.odd(this.#data);
    } else this.#tally.odd(`${this.#type} ${this.#data}`);
  }
}
