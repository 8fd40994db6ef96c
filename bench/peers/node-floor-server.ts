/**
 * What anybody writes first with node:http: every event is put together once and written to every response. It knows no
 * resume, no heartbeat and no slow client, and keeps nothing. Its one argument is the port.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** The open streams of each channel. */
const channels = new Map<string, Set<ServerResponse>>();

let events = 0;

const server = createServer((request, response) => {
  const channel = request.url?.split('/').at(-1) ?? '';
  if (request.method === 'GET') subscribe(channel, response);
  else publish(channel, request, response);
});
server.keepAliveTimeout = 3_600_000;
server.listen(Number(process.argv[2]), '127.0.0.1', 4096);

function subscribe(channel: string, response: ServerResponse): void {
  const streams = channels.get(channel) ?? new Set();
  channels.set(channel, streams.add(response));
  response.on('close', () => streams.delete(response));
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(':\n\n');
}

function publish(channel: string, request: IncomingMessage, response: ServerResponse): void {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    events += 1;
    const event = Buffer.concat([Buffer.from('data: '), ...parts, Buffer.from(`\nid: ${events}\n\n`)]);
    for (const stream of channels.get(channel) ?? []) stream.write(event);
    const answer = `{"id":${events}}`;
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': answer.length });
    response.end(answer);
  });
}
