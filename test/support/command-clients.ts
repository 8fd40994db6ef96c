/** Clients that are programs: curl, Python with the libraries that people have, and our own `tail`. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from './child.ts';
import { runCommand } from './gateway.ts';
import { parseObject } from './gateway-events.ts';
import { type ClientKind, Recorder } from './interop-client.ts';
import type { Owner } from './owner.ts';
import { sample } from './samples.ts';
import { scratchFolder } from './scratch.ts';
import { SseReader } from './sse-reader.ts';

const FOLLOW = fileURLToPath(new URL('follow.py', import.meta.url));

/** Debian's packages for Python are for Debian's Python, which need not be the first on PATH. */
const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

const ENV = { PATH: process.env['PATH'] ?? '' };

/** Programs in processes of their own. */
export const COMMAND_CLIENTS: readonly ClientKind[] = [
  { name: 'curl', open: curl },
  { name: 'sse-gateway tail', open: tail },
  { name: 'Python requests', open: requests },
  ...['urllib', 'httpx', 'aiohttp'].map((library) => ({
    name: `Python ${library}`,
    open: (owner: Owner, url: string) => python(owner, library, url),
  })),
];

/** What curl exits with when a stream has ended, in order or by a cut. */
const STREAM_ENDED = [0, 18, 56];

/** curl does not come back by itself: after a stream it is started again with the last id that it printed. */
function curl(owner: Owner, url: string): Recorder {
  const recorder = new Recorder('curl');
  let cursor = '';
  let leaving = false;
  owner.after(() => {
    leaving = true;
  });
  const run = () => {
    let began = false;
    const child = startChild(owner, 'curl', ['-sfN', '-H', `Last-Event-ID: ${cursor}`, url], { env: ENV });
    const reader = new SseReader({
      event: (event) => {
        cursor = event.id ?? cursor;
        recorder.received(event);
      },
      comment: () => undefined,
      retry: () => undefined,
    });
    child.process.stdout?.on('data', (text: string) => {
      began = true;
      reader.push(Buffer.from(text));
    });
    void child.exited.then(({ code }) => {
      if (!leaving && began && STREAM_ENDED.includes(code ?? -1)) run();
    });
  };
  run();
  return recorder;
}

function tail(owner: Owner, url: string): Recorder {
  const { origin, pathname } = new URL(url);
  const channel = pathname.split('/').at(-1) ?? '';
  const child = runCommand(owner, ['tail', channel, '--json', '--gateway-events', '--url', origin]);
  return recordLines('tail', child, ({ event, data, id }) => ({
    type: String(event),
    data: String(data),
    id: idOf(id),
  }));
}

async function requests(owner: Owner, url: string): Promise<Recorder> {
  return recordPython('requests', await startPythonSample(owner, url));
}

/** Follows with the documentation's sample for Python, which prints a line of JSON for each event. */
export async function startPythonSample(owner: Owner, url: string, ...token: readonly string[]): Promise<Child> {
  const path = join(await scratchFolder(owner), 'follow.py');
  await writeFile(path, sample('docs/clients.md', 'follow.py'));
  return startChild(owner, PYTHON, [FOLLOW, path, url, ...token], { env: ENV });
}

function python(owner: Owner, library: string, url: string): Recorder {
  return recordPython(library, startChild(owner, PYTHON, [FOLLOW, library, url], { env: ENV }));
}

function recordPython(library: string, child: Child): Recorder {
  const event = ({ type, data, id }: Record<string, unknown>) => ({
    type: String(type),
    data: String(data),
    id: idOf(id),
  });
  return recordLines(`Python ${library}`, child, event);
}

function idOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

/** Reads a JSON object on each line of stdout. */
function recordLines(
  name: string,
  child: Child,
  event: (line: Record<string, unknown>) => { type: string; data: string; id: string | undefined },
): Recorder {
  const recorder = new Recorder(name, () => child.stderr);
  let rest = '';
  child.process.stdout?.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) recorder.received(event(parseObject(line)));
  });
  return recorder;
}
