/** An HTTP server that is no gateway: gives every request the same answer. */
import { createServer } from 'node:http';
import type { Owner } from './owner.ts';

/** Starts one and tells its address. */
export function impostor(owner: Owner, status: number, type: string, body: string): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': type });
    response.end(body);
  });
  owner.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
    });
  });
}
