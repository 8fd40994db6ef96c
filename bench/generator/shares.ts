/** What everybody took of the CPUs between two moments. */
import { busySeconds, cpuSeconds } from './proc.ts';
import type { Figures, Spec } from './spec.ts';

/** What was used since the beginning. */
export interface Used {
  /** CPU time of the server, user and system, in seconds. */
  readonly serverSeconds: number;
  readonly share: Figures['share'];
  readonly noise: number;
}

interface Moment {
  readonly at: number;
  readonly server: number;
  readonly generator: number;
  readonly redis: number;
  readonly busy: number;
}

export class Shares {
  readonly #spec: Spec;
  readonly #begin: Moment;

  /** Begins now. */
  constructor(spec: Spec) {
    this.#spec = spec;
    this.#begin = lookAt(spec);
  }

  /** What was used up to now. */
  since(): Used {
    const [begin, end] = [this.#begin, lookAt(this.#spec)];
    const seconds = end.at - begin.at;
    const [server, generator, redis] = [
      end.server - begin.server,
      end.generator - begin.generator,
      end.redis - begin.redis,
    ];
    const others = end.busy - begin.busy - server - generator - redis;
    return {
      serverSeconds: server,
      share: { server: server / seconds, generator: generator / seconds, redis: redis / seconds },
      noise: Math.max(0, others) / (seconds * this.#spec.cpus.length),
    };
  }
}

function lookAt({ pids, redis, cpus }: Spec): Moment {
  return {
    at: performance.now() / 1000,
    server: pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
    generator: cpuSeconds(process.pid),
    redis: redis === undefined ? 0 : cpuSeconds(redis.pid),
    busy: busySeconds(cpus),
  };
}
