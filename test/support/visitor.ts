/** A client on its way through a test with many: what goes wrong with one is kept for its own verdict and holds up nobody. */
import { type Away, type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts';
import type { ClientKind, Following } from './interop-client.ts';
import type { Owner } from './owner.ts';
import type { ReceivedEvent } from './sse-reader.ts';

/** How long anything may take that waits for a client which backs off, in milliseconds. */
const PATIENCE_MS = 90_000;

/** One client behind a proxy of its own. */
export class Visitor {
  readonly name: string;
  readonly proxy: CuttingProxy;
  /** The first thing that went wrong; nothing is tried after it. */
  failure: unknown;
  readonly #open: (url: string) => Following | Promise<Following>;
  readonly #path: string;
  #client: Following | undefined;

  constructor(owner: Owner, kind: ClientKind, proxy: CuttingProxy, path: string) {
    this.name = kind.name;
    this.proxy = proxy;
    this.#open = (url) => kind.open(owner, url);
    this.#path = path;
  }

  get events(): readonly ReceivedEvent[] {
    return this.#client?.events ?? [];
  }

  /** Begins to follow, or begins anew. */
  open(): Promise<void> {
    return this.#try(async () => {
      this.#client = await this.#open(this.proxy.url + this.#path);
      await this.#client.until('gateway.open', (event) => event.type === 'gateway.open', PATIENCE_MS);
    });
  }

  /** Settles when it has seen an event with that data. */
  sees(data: string): Promise<void> {
    const isIt = (event: ReceivedEvent) => event.data === data;
    return this.#try(async () => void (await this.#client?.until(`"${data}"`, isIt, PATIENCE_MS)));
  }

  /** Settles when it has seen an event of that type more. */
  seesAnother(type: string): Promise<void> {
    const count = () => this.events.filter((event) => event.type === type).length;
    const before = count();
    const isThere = () => count() > before;
    return this.#try(async () => void (await this.#client?.until(`another ${type}`, isThere, PATIENCE_MS)));
  }

  /** Settles when it was turned away once more. */
  isTurnedAway(away: Away): Promise<void> {
    return this.#try(() => this.proxy.turnsAway(away));
  }

  async #try(step: () => Promise<void>): Promise<void> {
    if (this.failure !== undefined) return;
    try {
      await step();
    } catch (error) {
      this.failure = error;
    }
  }
}

/** One visitor for each kind of client, each on its way to `path` of the gateway at `port`. */
export function visitors(
  owner: Owner,
  kinds: readonly ClientKind[],
  port: number,
  path: string,
): Promise<readonly Visitor[]> {
  return Promise.all(kinds.map(async (kind) => new Visitor(owner, kind, await startCuttingProxy(owner, port), path)));
}
