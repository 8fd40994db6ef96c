/** The application behind Pushpin: asks it to hold every stream. Its one argument is the port. */
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Grip-Hold': 'stream',
    'Grip-Channel': request.url?.split('/').at(-1) ?? '',
  });
  response.end(':\n\n');
});
server.listen(Number(process.argv[2]), '127.0.0.1', 4096);
