/** Whether the gateway lives and whether it is of use. */
import type { ServerResponse } from 'node:http';
import type { Source } from '../source/source.ts';
import { answerJson } from './body.ts';

/** What the state of the gateway is made of. */
export interface StatusOptions {
  readonly sources: readonly Source[];
  /** True once it is stopping. */
  readonly stopping: () => boolean;
}

/** `/healthz`: the process answers. */
export function answerHealth(response: ServerResponse): void {
  answerJson(response, 200, { status: 'ok' });
}

/** `/readyz`: every source is heard and it is not stopping; otherwise 503, and why. */
export function answerReady(response: ServerResponse, { sources, stopping }: StatusOptions): void {
  const states = sources.map((source) => [source.name, source.status()] as const);
  const ready = !stopping() && states.every(([, state]) => state.up);
  answerJson(response, ready ? 200 : 503, {
    ready,
    ...(stopping() && { stopping: true }),
    sources: Object.fromEntries(
      states.map(([name, { up, detail }]) => [name, { up, ...(detail !== undefined && { detail }) }]),
    ),
  });
}
