/** Clients that come and go: so many connects and aborts a second, aborted at any point of their short lives. */
import { connect, type Socket } from 'node:net';
import type { Dice } from './random.ts';

/** What is asked for and how often. */
export interface ChurnOrder {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** The path of the connection with this number. */
  readonly path: (index: number, dice: Dice) => string;
  readonly dice: Dice;
}

/** How often a few connect, in milliseconds. */
const TICK_MS = 20;

/** The longest that a client stays once it has sent its request, in milliseconds. */
const LONGEST_MS = 1000;

/** Runs the whole of it; settles with how many connections there were when the last is closed on this side. */
export async function churn(order: ChurnOrder): Promise<number> {
  const { perSecond, seconds, dice } = order;
  const total = perSecond * seconds;
  const gone: Promise<void>[] = [];
  const began = performance.now();
  await new Promise<void>((done) => {
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * perSecond));
      while (gone.length < due) gone.push(visit(order, gone.length, dice));
      if (due < total) return;
      clearInterval(timer);
      done();
    }, TICK_MS);
  });
  await Promise.all(gone);
  return total;
}

/** A sixth leave in the middle of the request, a sixth right behind it, the others at some moment, half of them by a reset. */
function visit({ port, path }: ChurnOrder, index: number, dice: Dice): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const request = `GET ${path(index, dice)} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: text/event-stream\r\n\r\n`;
  const fate = index % 6;
  const polite = dice.next() < 0.5;
  socket.on('error', () => undefined); // 'close' follows
  if (fate === 0) socket.write(request.slice(0, 1 + dice.below(request.length - 1)), () => abort(socket, polite));
  else if (fate === 1) socket.write(request, () => abort(socket, polite));
  else {
    socket.write(request);
    socket.resume();
    const stay = fate === 2 ? dice.below(20) : dice.below(LONGEST_MS);
    socket.once('connect', () => setTimeout(() => abort(socket, polite), stay));
  }
  return new Promise((resolve) => void socket.on('close', () => resolve()));
}

function abort(socket: Socket, polite: boolean): void {
  if (polite) socket.destroy();
  else socket.resetAndDestroy();
}
