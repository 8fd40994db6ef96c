/** How late the event loop of the gateway was, as its metrics tell it. */
import { get } from 'node:http';
import type { Spec } from './spec.ts';

/** In milliseconds, since it was last read. */
export interface LoopFigures {
  readonly p999: number;
  readonly max: number;
}

/** Reads it, and so begins anew; undefined where the server does not tell it. */
export async function readLoopDelay({ port, dialect }: Spec): Promise<LoopFigures | undefined> {
  return dialect.metrics === true ? parseLoopDelay(await textOf(port)) : undefined;
}

/** Finds it in the text of `/metrics`; undefined where it is not there. */
export function parseLoopDelay(text: string): LoopFigures | undefined {
  const at = (quantile: string): number | undefined => {
    const seconds = new RegExp(`^sse_gateway_loop_delay_seconds\\{quantile="${quantile}"\\} (\\S+)$`, 'm').exec(text);
    return seconds === null ? undefined : Number(seconds[1]) * 1000;
  };
  const [p999, max] = [at('0\\.999'), at('1')];
  return p999 === undefined || max === undefined ? undefined : { p999, max };
}

function textOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path: '/metrics', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
  });
}
