/** Reads an event stream more strictly than any client: only what the gateway promises to write passes. */

/** An event as a client would see it. */
export interface ReceivedEvent {
  readonly type: string;
  readonly data: string;
  /** Undefined where the event carried none: gaps before `gateway.open`, and itself where every channel is pending. */
  readonly id: string | undefined;
}

/** What every id is made of. */
const ID = /^[A-Za-z0-9_.~^=,%-]+$/;

/** The fields of an event in the order the gateway writes them. */
const FIELD_ORDER = ['event', 'data', 'id'];

/** Told what the stream says. */
interface EventSink {
  event(event: ReceivedEvent): void;
  comment(): void;
  retry(ms: number): void;
}

/** Takes the body of one stream in pieces of any size. Throws at everything that is not promised. */
export class SseReader {
  readonly #sink: EventSink;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #partial: Buffer = Buffer.alloc(0);
  #fields: [name: string, value: string][] = [];
  #opened = false;
  #greeting = true;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  /** True between events: where a chunk, a write and the stream itself may end. */
  get atBoundary(): boolean {
    return this.#partial.length === 0 && this.#fields.length === 0;
  }

  push(bytes: Buffer): void {
    let rest = this.#partial.length === 0 ? bytes : Buffer.concat([this.#partial, bytes]);
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
      this.#line(this.#decoder.decode(rest.subarray(0, end)));
      rest = rest.subarray(end + 1);
    }
    this.#partial = Buffer.from(rest);
  }

  #line(line: string): void {
    if (line.includes('\r')) throw new Error(`CR in a line: ${JSON.stringify(line)}`);
    const [, name = '', value = ''] = /^([a-z]*):? ?(.*)$/s.exec(line) ?? [];
    if (line === '') this.#blank();
    else if (FIELD_ORDER.includes(name)) this.#field(name, value);
    else if (this.#fields.length > 0) throw new Error(`${JSON.stringify(line)} inside an event`);
    else if (line === ':') this.#sink.comment();
    else if (/^retry: ?\d+$/.test(line)) this.#sink.retry(Number(value));
    else throw new Error(`not a line of the gateway: ${JSON.stringify(line)}`);
  }

  #field(name: string, value: string): void {
    this.#greeting = false;
    this.#fields.push([name, value]);
  }

  #blank(): void {
    if (this.#fields.length === 0) {
      // A blank line may close the greeting (retry and comment); elsewhere it belongs to an event.
      if (!this.#greeting) throw new Error('a blank line that ends no event');
      return;
    }
    const fields = this.#fields;
    this.#fields = [];
    const names = fields.map(([name]) => name);
    const ordered = [...names].sort((a, b) => FIELD_ORDER.indexOf(a) - FIELD_ORDER.indexOf(b));
    if (names.join() !== ordered.join()) throw new Error(`fields out of order: ${names.join()}`);
    for (const name of ['event', 'id']) {
      if (names.filter((each) => each === name).length > 1) throw new Error(`${name} twice in one event`);
    }
    this.#dispatch(fields);
  }

  #dispatch(fields: readonly [string, string][]): void {
    const type = fields.find(([name]) => name === 'event')?.[1] ?? 'message';
    const lines = fields.filter(([name]) => name === 'data').map(([, value]) => value);
    const id = fields.find(([name]) => name === 'id')?.[1];
    const data = lines.join('\n');
    if (lines.length === 0) throw new Error(`an event without data: ${type}`);
    const mayLack = type === 'gateway.gap' ? !this.#opened : type === 'gateway.open' && data.includes('"pending":');
    if (id === undefined ? !mayLack : !ID.test(id)) {
      throw new Error(`an event "${type}" with the id ${JSON.stringify(id)}: ${data.slice(0, 200)}`);
    }
    if (type === 'gateway.open') this.#opened = true;
    this.#sink.event({ type, data, id });
  }
}
