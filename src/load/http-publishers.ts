/** Publishes a load over HTTP: a line stays with its connection, so its messages stay in order. */
import type { Clock } from '../clock.ts';
import type { Account } from './account.ts';
import { HttpConnection, type Posted } from './http-connection.ts';
import type { Publishers } from './publisher.ts';
import { requestHead, type Target } from './target.ts';

/** What the publishers need. */
export interface HttpPublishersOptions {
  readonly target: Target;
  readonly connections: number;
  /** Where the messages of a line are posted, such as `/events/prices`. */
  readonly path: (line: number) => string;
  /** The body that carries a payload, in ASCII; default: the payload. */
  readonly body?: (line: number, payload: string) => string;
  readonly account: Account;
  readonly clock: Clock;
}

/** A message that waits for the connection of its line. */
interface Waiting {
  readonly line: number;
  readonly request: string;
  readonly free: () => void;
}

interface Post {
  readonly connection: HttpConnection;
  /** One for each other line of the connection at most. */
  readonly queue: Waiting[];
}

/** A line is free again with the answer. */
export class HttpPublishers implements Publishers {
  readonly #options: HttpPublishersOptions;
  readonly #posts: readonly Post[];
  readonly #heads = new Map<number, string>();

  /** Begins to connect. */
  constructor(options: HttpPublishersOptions) {
    const { connections, target, clock } = options;
    this.#options = options;
    this.#posts = Array.from({ length: connections }, () => ({
      connection: new HttpConnection(target, clock),
      queue: [],
    }));
  }

  send(line: number, payload: string, free: () => void): void {
    const post = this.#posts[line % this.#posts.length];
    if (post === undefined) return;
    const body = this.#options.body?.(line, payload) ?? payload;
    post.queue.push({ line, request: `${this.#headOf(line)}${body.length}\r\n\r\n${body}`, free });
    this.#next(post);
  }

  flush(): void {
    // Every message was written at once.
  }

  close(): void {
    for (const { connection } of this.#posts) connection.close();
  }

  #next(post: Post): void {
    if (post.connection.busy) return;
    const message = post.queue.shift();
    if (message === undefined) return;
    const { line, request, free } = message;
    post.connection.post(request, (posted) => {
      this.#enter(line, posted);
      this.#next(post);
      free();
    });
  }

  #enter(line: number, posted: Posted): void {
    const { account } = this.#options;
    if (posted.kind === 'taken') account.acknowledged += 1;
    else if (posted.kind === 'refused') account.refuse(line, posted.why);
    else account.lose(posted.why);
  }

  #headOf(line: number): string {
    const known = this.#heads.get(line);
    if (known !== undefined) return known;
    const { target, path } = this.#options;
    const head = `${requestHead(target, 'POST', path(line))}Content-Length: `;
    this.#heads.set(line, head);
    return head;
  }
}
