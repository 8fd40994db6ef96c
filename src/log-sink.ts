/** Where log lines go: a file, or a pipe whose reader may hang or leave. Lines are dropped and counted, nothing waits for them. */
import { fstatSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** Takes lines. */
export interface LogSink {
  write(line: string): void;
  /** How many lines could not be written. */
  readonly dropped: number;
}

/** What may wait for a reader that is slow, in bytes. */
const MOST_WAITING = 1024 * 1024;

/** Opens a descriptor for lines. */
export function openSink(descriptor: number): LogSink {
  return mayHang(descriptor) ? new PipeSink(descriptor) : new FileSink(descriptor);
}

/** A pipe that is full blocks who writes, for as long as its reader likes. */
function mayHang(descriptor: number): boolean {
  try {
    const kind = fstatSync(descriptor);
    return kind.isFIFO() || kind.isSocket();
  } catch {
    return false; // it is closed: writing tells so, line by line
  }
}

class FileSink implements LogSink {
  dropped = 0;
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(line: string): void {
    try {
      writeSync(this.#descriptor, line);
    } catch {
      this.dropped += 1; // its disk is full; the next line is tried again
    }
  }
}

class PipeSink implements LogSink {
  dropped = 0;
  readonly #pipe: Socket;

  constructor(descriptor: number) {
    this.#pipe = new Socket({ fd: descriptor, readable: false, writable: true });
    this.#pipe.unref();
    // The reader is gone: each line that comes from here on is counted where it is not written.
    this.#pipe.on('error', () => this.#pipe.destroy());
  }

  write(line: string): void {
    if (!this.#pipe.writable || this.#pipe.writableLength > MOST_WAITING) {
      this.dropped += 1;
      return;
    }
    this.#pipe.write(line, (error) => {
      if (error) this.dropped += 1;
    });
  }
}
