/** Many ordinary clients in processes of their own, so that what they cost is not what the gateway costs. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Owner } from './owner.ts';
import { Watch } from './wait.ts';

/** What one process of the fleet is told. */
export interface FleetOrder {
  readonly url: string;
  readonly clients: number;
  /** How many numbered events each client must get, each with a payload of `payloadBytes`. */
  readonly events: number;
  readonly payloadBytes: number;
}

/** What one process tells, when all of its clients are open and when all have everything or are cut. */
export interface FleetReport {
  readonly stage: 'open' | 'done';
  readonly open: number;
  /** Clients that have every event once, in order, or were told at its place that it is lost, and nothing odd. */
  readonly whole: number;
  /** Events over all clients. */
  readonly received: number;
  /** Events that gaps announced as lost, over all clients. */
  readonly announced: number;
  readonly oddities: readonly string[];
}

/** A part of the fleet and its last words. */
interface Ship {
  readonly process: ChildProcess;
  readonly reports: FleetReport[];
}

/** Clients spread over processes. */
export class Fleet {
  readonly #ships: readonly Ship[];
  readonly #watch = new Watch();

  constructor(owner: Owner, order: FleetOrder, processes: number) {
    this.#ships = Array.from({ length: processes }, (_, index) => {
      const share = Math.floor(order.clients / processes) + (index < order.clients % processes ? 1 : 0);
      return this.#launch(owner, { ...order, clients: share });
    });
  }

  /** Settles when every client has its `gateway.open`; tells how many there are. */
  async opened(deadlineMs: number): Promise<number> {
    return (await this.#all('open', deadlineMs)).reduce((sum, report) => sum + report.open, 0);
  }

  /** Settles when every client has all events or was cut; at the deadline with what there is. */
  async done(deadlineMs: number): Promise<Omit<FleetReport, 'stage'>> {
    const reports = await this.#all('done', deadlineMs).catch(() => {
      for (const ship of this.#ships) ship.process.send('report');
      return this.#all('done', deadlineMs);
    });
    const sum = (key: 'open' | 'whole' | 'received' | 'announced') =>
      reports.reduce((total, report) => total + report[key], 0);
    return {
      open: sum('open'),
      whole: sum('whole'),
      received: sum('received'),
      announced: sum('announced'),
      oddities: reports.flatMap((report) => report.oddities),
    };
  }

  #launch(owner: Owner, order: FleetOrder): Ship {
    const child = fork(fileURLToPath(new URL('./fleet-child.ts', import.meta.url)), {
      env: { PATH: process.env['PATH'] ?? '' },
      execArgv: [],
    });
    const ship: Ship = { process: child, reports: [] };
    child.on('message', (report: FleetReport) => {
      ship.reports.push(report);
      this.#watch.changed();
    });
    child.send(order);
    owner.after(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    return ship;
  }

  #all(stage: FleetReport['stage'], deadlineMs: number): Promise<FleetReport[]> {
    return this.#watch.until(
      () => `"${stage}" from every process of the fleet`,
      () => {
        const reports = this.#ships.map((ship) => ship.reports.findLast((report) => report.stage === stage));
        const told = reports.filter((report) => report !== undefined);
        return told.length === this.#ships.length && told;
      },
      deadlineMs,
    );
  }
}
