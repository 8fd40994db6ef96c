/** The application of the example: it serves the page, takes questions and has an answer written for each. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { Redis } from 'ioredis';
import { writeAnswer } from './producer.ts';

const env = process.env;
const port = Number(env['PORT'] ?? 3000);
const gateway = env['GATEWAY_URL'] ?? 'http://127.0.0.1:8080';
const redisUrl = env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
/** Milliseconds between two tokens, on average. */
const pace = Number(env['PACE_MS'] ?? 45);

// No command is tried again: an XADD whose answer was lost may have been done, and its token would be there twice.
const redis = new Redis(redisUrl, { maxRetriesPerRequest: 0, retryStrategy: () => 1000 });
redis.on('error', ({ message }: Error) => console.error(`Redis at ${redisUrl}: ${message}. Is redis-server running?`));

const page = readFileSync(new URL('page.html', import.meta.url), 'utf8').replace('GATEWAY_URL', gateway);

const server = createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/ask') {
    ask(request).then(
      (id) => response.end(id),
      () => response.destroy(), // the question did not arrive as a whole
    );
  } else if (request.url === '/') response.setHeader('Content-Type', 'text/html; charset=utf-8').end(page);
  else response.writeHead(404).end();
});
server.listen(port, '127.0.0.1', () => {
  const address = server.address();
  console.log(`Open http://127.0.0.1:${typeof address === 'object' ? address?.port : port}`);
});

/** Has the answer written, and gives its id at once. */
async function ask(request: IncomingMessage): Promise<string> {
  const id = randomUUID();
  writeAnswer(redis, id, await text(request), pace).catch((error: Error) => console.error(`${id}: ${error.message}`));
  return id;
}
