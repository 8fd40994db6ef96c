/** What the driver of a load publishes through. */

/** The publishing connections of a load. */
export interface Publishers {
  /** Sends one message of a line, in ASCII. `free` is called when the line may send the next one. */
  send(line: number, payload: string, free: () => void): void;
  /** Writes what `send` has collected. */
  flush(): void;
}
