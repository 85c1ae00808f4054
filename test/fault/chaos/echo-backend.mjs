/**
 * Owns a backend as a program: sends back every WebSocket message it gets. Prints its port when it listens, and ends with its standard
 * input, on which `down` cuts everybody off and stops listening, and `up` listens again where it was. The first argument is the port.
 */
import { createInterface } from 'node:readline';
import { WebSocketServer } from 'ws';

let port = Number(process.argv[2] ?? 0);
let server;

function up() {
  server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false });
  server.on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    socket.on('error', () => {});
  });
  server.on('listening', () => {
    port = server.address().port;
    console.log(port);
  });
}

function down() {
  for (const client of server.clients) client.terminate();
  server.close(() => console.log('down'));
}

const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => (line === 'up' ? up() : down()));
commands.on('close', () => process.exit());
up();
