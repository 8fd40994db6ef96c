/** The process in which a part of a fleet lives: opens its clients, tells when all are open and when all have everything. */
import { connect } from 'node:net';
import type { FleetOrder, FleetReport } from './fleet.ts';
import { NumberedReader } from './numbered-reader.ts';

/** How many connections are opened at once: fewer than any listen backlog. */
const CONNECT_AT_ONCE = 100;

/** What one client has, for the parent. */
interface Client {
  readonly reader: NumberedReader;
  closed: boolean;
}

process.once('message', (order: FleetOrder) => void run(order));
process.once('disconnect', () => process.exit());

async function run(order: FleetOrder): Promise<void> {
  const clients: Client[] = [];
  let told = false;
  const finished = (client: Client) =>
    client.reader.next >= order.events || client.closed || client.reader.oddities.length > 0;
  const look = () => {
    if (told || !clients.every(finished) || clients.length < order.clients) return;
    told = true;
    tell({ stage: 'done', ...summary(clients, order) });
  };
  while (clients.length < order.clients) {
    const batch = Math.min(CONNECT_AT_ONCE, order.clients - clients.length);
    await Promise.all(
      Array.from({ length: batch }, () => new Promise<void>((opened) => clients.push(open(order, opened, look)))),
    );
  }
  tell({ stage: 'open', ...summary(clients, order) });
  process.on('message', () => tell({ stage: 'done', ...summary(clients, order) }));
}

function open(order: FleetOrder, opened: () => void, look: () => void): Client {
  const { hostname, port, pathname, search, host } = new URL(order.url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const client: Client = { reader: new NumberedReader(order.payloadBytes), closed: false };
  let waiting = true;
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\naccept: text/event-stream\r\n\r\n`);
  socket.on('data', (bytes) => {
    client.reader.push(bytes);
    if (waiting && client.reader.opened) {
      waiting = false;
      opened();
    }
    if (client.reader.next >= order.events || client.reader.oddities.length > 0) look();
  });
  socket.on('error', () => undefined); // 'close' follows
  socket.on('close', () => {
    client.closed = true;
    if (waiting) opened();
    look();
  });
  return client;
}

function summary(clients: readonly Client[], order: FleetOrder): Omit<FleetReport, 'stage'> {
  return {
    open: clients.filter((client) => client.reader.opened && !client.closed).length,
    whole: clients.filter(({ reader }) => reader.next === order.events && reader.oddities.length === 0).length,
    received: clients.reduce((sum, { reader }) => sum + reader.next - reader.announced, 0),
    announced: clients.reduce((sum, { reader }) => sum + reader.announced, 0),
    oddities: [...new Set(clients.flatMap((client) => client.reader.oddities))].slice(0, 3),
  };
}

function tell(report: FleetReport): void {
  process.send?.(report);
}
