/**
 * Owns what stands behind the proxy, and what stands in its place to find out what an attack costs by itself. By its name:
 * `echo` answers every message; `other` takes an attacker's connections and reads them, or floods those that ask for `/flood`;
 * `sink` answers a handshake at once, whatever it says, and reads what comes.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { WebSocketServer } from 'ws';

const [, , kind] = process.argv;
const listening = (server) => process.send({ port: server.address().port });
process.on('disconnect', () => process.exit());
process.on('message', () => process.send({}));

const MESSAGE = Buffer.concat([Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]), Buffer.alloc(65_536)]);

if (kind === 'echo') {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false }, () => listening(server));
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
} else {
  const server = createServer({ noDelay: true }, (socket) => {
    let head = '';
    socket.on('error', () => {});
    const onHead = (chunk) => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', onHead);
      socket.resume();
      const [, key = ''] = /^sec-websocket-key: *(\S+)/im.exec(head) ?? [];
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade';
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      if (head.startsWith('GET /flood')) flood(socket);
    };
    socket.on('data', onHead);
  });
  server.listen(0, '127.0.0.1', 1024, () => listening(server));
}

/** As fast as it is taken, up to 4 MiB a socket ahead of its reader here. */
function flood(socket) {
  const more = () => {
    while (socket.writableLength < 4_194_304 && !socket.destroyed) {
      if (!socket.write(MESSAGE)) return;
    }
  };
  socket.on('drain', more);
  more();
}
