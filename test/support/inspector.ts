/** What a running process holds, asked by way of its inspector: objects after garbage collection, and handles. */
import type { Child } from './child.ts';
import type { Owner } from './owner.ts';

/** The environment in which a process can be inspected. */
export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

/** A connection to the inspector of one process. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: Answer) => void>();
  #asked = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer: Answer = JSON.parse(String(data));
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Bytes of JavaScript objects and buffers once everything that nobody needs is gone. */
  async heapBytes(): Promise<number> {
    // Finalizers free more on the second time.
    for (let time = 0; time < 3; time += 1) await this.#ask('HeapProfiler.collectGarbage');
    const { result } = await this.#ask('Runtime.evaluate', {
      expression: '(({heapUsed, external}) => heapUsed + external)(process.memoryUsage())',
    });
    return Number(result?.result?.value);
  }

  /** How many handles and requests of each kind the event loop has, timers included. */
  async handles(): Promise<Record<string, number>> {
    const expression = 'JSON.stringify(process.getActiveResourcesInfo())';
    const { result } = await this.#ask('Runtime.evaluate', { expression });
    const names: string[] = JSON.parse(String(result?.result?.value));
    const counts: Record<string, number> = {};
    for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}

interface Answer {
  readonly id: number;
  readonly result?: { readonly result?: { readonly value?: unknown } };
}

/** Connects to the inspector of a process that was started with `INSPECTED`. */
export async function inspect(owner: Owner, child: Child): Promise<Inspector> {
  const [, url = ''] = await child.printed('stderr', /Debugger listening on (ws:\S+)/);
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error(`no inspector answers at ${url}`)));
  });
  const inspector = new Inspector(socket);
  owner.after(() => inspector.close());
  return inspector;
}
