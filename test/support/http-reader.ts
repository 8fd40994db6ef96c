/** Reads HTTP/1 responses byte by byte as RFC 9112 has them, strictly: the tests' own judge of framing. */

/** The start line and fields of a response; field names in lower case. */
export interface ResponseHead {
  readonly version: string;
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** Told what is read, in order. */
export interface ResponseSink {
  head(head: ResponseHead): void;
  body(bytes: Buffer): void;
  /** A whole chunk has been read; only where the body is chunked. */
  chunkEnd(): void;
  /** The response is complete. */
  end(): void;
}

type State = 'head' | 'length' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'until-close';

/** Reads any number of responses on one connection. Throws at what no server may send. */
export class ResponseReader {
  readonly #sink: ResponseSink;
  readonly #bodiless: () => boolean;
  #state: State = 'head';
  #kept: Buffer = Buffer.alloc(0);
  #remaining = 0;

  /** `bodiless` tells whether the response at hand answers HEAD. */
  constructor(sink: ResponseSink, bodiless: () => boolean = () => false) {
    this.#sink = sink;
    this.#bodiless = bodiless;
  }

  /** True inside a response: the end of the connection cuts it, unless it is what ends the body. */
  get inside(): boolean {
    return this.#state !== 'head' || this.#kept.length > 0;
  }

  push(bytes: Buffer): void {
    let rest = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    this.#kept = Buffer.alloc(0);
    while (rest.length > 0) {
      const used = this.#step(rest);
      if (used === 0) {
        this.#kept = Buffer.from(rest);
        return;
      }
      rest = rest.subarray(used);
    }
  }

  /** The connection has ended; true if that leaves no response half read. */
  close(): boolean {
    if (this.#state === 'until-close') this.#finish();
    return !this.inside;
  }

  /** Takes what it can from the front of `bytes`; 0 means more is needed. */
  #step(bytes: Buffer): number {
    switch (this.#state) {
      case 'head':
        return this.#takeHead(bytes);
      case 'length':
      case 'chunk':
        return this.#takeCounted(bytes);
      case 'until-close':
        this.#sink.body(bytes);
        return bytes.length;
      case 'chunk-size':
      case 'chunk-end':
      case 'trailer':
        return this.#takeLine(bytes);
      default:
        return this.#state satisfies never;
    }
  }

  #takeHead(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1) return 0;
    const head = parseHead(bytes.toString('latin1', 0, end));
    this.#sink.head(head);
    const length = head.headers.get('content-length');
    if (this.#bodiless() || head.status < 200 || head.status === 204 || head.status === 304) this.#finish();
    else if (head.headers.get('transfer-encoding') === 'chunked') this.#state = 'chunk-size';
    else if (length === undefined) this.#state = 'until-close';
    else if (Number(length) === 0) this.#finish();
    else {
      this.#remaining = Number(length);
      this.#state = 'length';
    }
    return end + 4;
  }

  #takeCounted(bytes: Buffer): number {
    const part = bytes.subarray(0, this.#remaining);
    this.#remaining -= part.length;
    this.#sink.body(part);
    if (this.#remaining === 0) {
      if (this.#state === 'chunk') this.#state = 'chunk-end';
      else this.#finish();
    }
    return part.length;
  }

  #takeLine(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n');
    if (end === -1) return 0;
    const line = bytes.toString('latin1', 0, end);
    if (this.#state === 'chunk-size') this.#startChunk(line);
    else if (line !== '') throw new Error(`expected an empty line after a chunk, found ${JSON.stringify(line)}`);
    else if (this.#state === 'trailer') this.#finish();
    else {
      this.#state = 'chunk-size';
      this.#sink.chunkEnd();
    }
    return end + 2;
  }

  #startChunk(line: string): void {
    if (!/^[0-9a-fA-F]+$/.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
    this.#remaining = Number.parseInt(line, 16);
    this.#state = this.#remaining === 0 ? 'trailer' : 'chunk';
  }

  #finish(): void {
    this.#state = 'head';
    this.#sink.end();
  }
}

function parseHead(text: string): ResponseHead {
  const [start = '', ...fields] = text.split('\r\n');
  const match = /^HTTP\/(1\.[01]) (\d{3}) /.exec(`${start} `);
  if (match === null) throw new Error(`not a status line: ${JSON.stringify(start)}`);
  const headers = new Map<string, string>();
  for (const field of fields) {
    const [, name = '', value = ''] = /^([^:\s]+):[ \t]*(.*?)[ \t]*$/.exec(field) ?? [];
    if (name === '') throw new Error(`not a header field: ${JSON.stringify(field)}`);
    headers.set(name.toLowerCase(), value);
  }
  return { version: match[1] ?? '', status: Number(match[2]), headers };
}
