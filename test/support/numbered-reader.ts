/** Checks a stream of numbered events as fast as bytes arrive, for clients by the thousand. */

/** How many digits a number has at the front of its payload. */
export const NUMBER_DIGITS = 7;

/** The payload number `index`, `bytes` long. */
export function numberedPayload(index: number, bytes: number): string {
  return `${index}`.padStart(NUMBER_DIGITS, '0').padEnd(bytes, '.');
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const DATA = Buffer.from('data: ');
const ID = Buffer.from('id: ');

const TOO_SLOW = /"reason":"too-slow",.*"lost":(\d+)/;

/** How many oddities are kept as text; one is enough to fail. */
const ODDITIES_KEPT = 3;

/** Reads one chunked response whose events are `numberedPayload`s from 0 up, and notes everything else. */
export class NumberedReader {
  /** The number that comes next: how many have arrived in order or were announced as lost. */
  next = 0;
  /** How many a `too-slow` gap announced at the place where they are missing. */
  announced = 0;
  opened = false;
  ended = false;
  readonly oddities: string[] = [];
  readonly #payloadBytes: number;
  #kept: Buffer = Buffer.alloc(0);
  #inBody = false;

  constructor(payloadBytes: number) {
    this.#payloadBytes = payloadBytes;
  }

  push(received: Buffer): void {
    const bytes = this.#kept.length === 0 ? received : Buffer.concat([this.#kept, received]);
    let offset = this.#inBody ? 0 : this.#skipHead(bytes);
    for (let next = this.#chunk(bytes, offset); next > offset; next = this.#chunk(bytes, offset)) offset = next;
    this.#kept = Buffer.from(bytes.subarray(offset));
  }

  #skipHead(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1) return 0;
    const status = bytes.toString('latin1', 0, bytes.indexOf('\r\n'));
    if (!status.startsWith('HTTP/1.1 200')) this.#odd(status);
    this.#inBody = true;
    return end + 4;
  }

  /** Takes the chunk at `offset` and tells where the next begins; `offset` itself while it is not whole. */
  #chunk(bytes: Buffer, offset: number): number {
    if (!this.#inBody) return offset;
    let start = offset;
    while (start < bytes.length && bytes[start] !== CR) start += 1;
    if (start + 2 > bytes.length) return offset;
    const size = Number.parseInt(bytes.toString('latin1', offset, start), 16);
    const end = start + 2 + size;
    if (Number.isNaN(size)) this.#odd(`chunk size ${bytes.toString('latin1', offset, start)}`);
    if (!(end + 2 <= bytes.length)) return offset;
    if (size === 0) this.ended = true;
    for (let at = start + 2; at < end; ) at = this.#event(bytes, at, end);
    return end + 2;
  }

  /** Takes the event or comment at `start` of a chunk that ends at `end`, and tells where it ends. */
  #event(bytes: Buffer, start: number, end: number): number {
    const payload = start + DATA.length;
    const id = payload + this.#payloadBytes + 1;
    if (matches(bytes, start, DATA) && bytes[id - 1] === LF && matches(bytes, id, ID)) {
      let close = id + ID.length;
      while (close < end && bytes[close] !== LF) close += 1;
      if (close > id + ID.length && bytes[close + 1] === LF) {
        this.#number(readNumber(bytes, payload));
        return close + 2;
      }
    }
    return this.#other(bytes, start, end);
  }

  #number(number: number): void {
    if (number !== this.next) this.#odd(`number ${number} where ${this.next} was due`);
    this.next = number + 1;
  }

  /** What is no numbered event: the greeting, a heartbeat, `gateway.open` and a gap with its number are expected. */
  #other(bytes: Buffer, start: number, end: number): number {
    const line = bytes.indexOf(LF, start);
    const text = bytes.toString('utf8', start, line);
    if (bytes[start] === COLON || text.startsWith('retry:') || text === '') return line + 1;
    const close = bytes.indexOf('\n\n', start);
    const lost = text === 'event: gateway.gap' ? TOO_SLOW.exec(bytes.toString('utf8', line, close)) : null;
    if (text === 'event: gateway.open') this.opened = true;
    else if (lost !== null) this.#announce(Number(lost[1]));
    else this.#odd(bytes.toString('utf8', start, Math.min(end, start + 300)));
    return close === -1 || close >= end ? end : close + 2;
  }

  #announce(lost: number): void {
    this.next += lost;
    this.announced += lost;
  }

  #odd(what: string): void {
    if (this.oddities.length < ODDITIES_KEPT) this.oddities.push(what);
  }
}

function matches(bytes: Buffer, at: number, wanted: Buffer): boolean {
  for (let index = 0; index < wanted.length; index += 1) if (bytes[at + index] !== wanted[index]) return false;
  return true;
}

function readNumber(bytes: Buffer, at: number): number {
  let number = 0;
  for (let index = 0; index < NUMBER_DIGITS; index += 1) number = number * 10 + (bytes[at + index] ?? 0) - 0x30;
  return number;
}
