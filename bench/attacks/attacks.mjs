/** Owns the attacks: what each does to a port until its time is over, and what counts as one event of it. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { deflateRawSync } from 'node:zlib';

const HOST = '127.0.0.1';
/** Attackers have an address of their own, as the limits for each address tell them from the users by it. */
const ATTACKER = '127.0.0.2';

function request(path = '/attack', { key = randomBytes(16).toString('base64'), extensions } = {}) {
  const fields = ['Host: a', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'];
  fields.push(`Sec-WebSocket-Key: ${key}`);
  if (extensions !== undefined) fields.push(`Sec-WebSocket-Extensions: ${extensions}`);
  return `GET ${path} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`;
}

/** A masked frame; the mask is zeros, which costs its reader as much as any other. */
function frame(first, payload = Buffer.alloc(0), length = payload.length) {
  const short = length < 126;
  const head = Buffer.alloc(short ? 6 : 14);
  head[0] = first;
  head[1] = 0x80 | (short ? length : 127);
  if (!short) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** Connects, and again when it ended, until the time is over; so many at a time. */
function keepUp(count, { port, isOver }, use) {
  const again = () => {
    if (isOver()) return;
    const socket = connect({ port, host: HOST, localAddress: ATTACKER, noDelay: true });
    socket.on('error', () => {});
    socket.once('close', again);
    use(socket);
  };
  for (let number = 0; number < count; number += 1) again();
}

/** Opens connections and writes the same bytes as fast as they are taken. */
function flood(count, context, bytes, perWrite, path) {
  keepUp(count, context, (socket) => {
    socket.write(request(path));
    socket.once('data', () => {
      socket.resume();
      const more = () => {
        while (!socket.destroyed && !context.isOver()) {
          context.counts.events += perWrite;
          context.counts.bytes += bytes.length;
          if (!socket.write(bytes)) return;
        }
      };
      socket.on('drain', more);
      more();
    });
  });
}

const times = (count, bytes) => Buffer.concat(Array.from({ length: count }, () => bytes));

/** Connects, sends, and leaves with the first bytes of an answer. */
function askAndLeave(count, context, head) {
  keepUp(count, context, (socket) => {
    socket.once('connect', () => {
      context.counts.events += 1;
      socket.write(head());
    });
    socket.once('data', () => socket.resetAndDestroy());
  });
}

export const ATTACKS = {
  slowloris: {
    about: '2 000 connections that send a header field every half second',
    event: 'field',
    begin: (context) => {
      keepUp(2000, context, (socket) => {
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
        const drip = setInterval(() => {
          context.counts.events += 1;
          socket.write('X: y\r\n');
        }, 500);
        socket.once('close', () => clearInterval(drip));
      });
    },
  },
  handshakes: {
    about: 'valid handshakes, each left as soon as it is answered, 64 at a time',
    event: 'handshake',
    begin: (context) => askAndLeave(64, context, () => request()),
  },
  'bad-handshakes': {
    about: 'handshakes with a key that is none, 64 at a time',
    event: 'handshake',
    begin: (context) => askAndLeave(64, context, () => request('/attack', { key: 'none' })),
  },
  'bad-credentials': {
    about: 'handshakes with a wrong password, 64 at a time',
    event: 'handshake',
    begin: (context) =>
      askAndLeave(64, context, () => request().replace('\r\n', '\r\nAuthorization: Basic bWU6d3Jvbmc=\r\n')),
  },
  frames: {
    about: '8 connections with text frames of one byte',
    event: 'frame',
    begin: (context) => flood(8, context, times(2000, frame(0x81, Buffer.from('x'))), 2000),
  },
  'empty-fragments': {
    about: '8 connections with fragments of no bytes, of one message',
    event: 'fragment',
    begin: (context) => {
      const rest = times(2000, frame(0x00));
      keepUp(8, context, (socket) => {
        socket.write(request());
        socket.once('data', () => {
          socket.resume();
          socket.write(frame(0x01));
          const more = () => {
            while (!socket.destroyed && !context.isOver()) {
              context.counts.events += 2000;
              if (!socket.write(rest)) return;
            }
          };
          socket.on('drain', more);
          more();
        });
      });
    },
  },
  pings: {
    about: '8 connections with pings of one byte',
    event: 'ping',
    begin: (context) => flood(8, context, times(2000, frame(0x89, Buffer.from('x'))), 2000),
  },
  'zip-bomb': {
    about: '4 connections with messages that inflate to 256 MiB, where messages are read',
    event: 'bomb',
    compression: true,
    begin: (context) => {
      const part = deflateRawSync(Buffer.alloc(16 * 1_048_576), { finishFlush: 2 });
      const bomb = frame(0xc1, Buffer.concat(Array.from({ length: 16 }, () => part)));
      keepUp(4, context, (socket) => {
        socket.write(request('/messages', { extensions: 'permessage-deflate' }));
        socket.once('data', () => {
          socket.resume();
          context.counts.events += 1;
          context.counts.bytes += bomb.length;
          socket.write(bomb);
        });
      });
    },
  },
  resets: {
    about: 'connects and resets at once, 64 at a time',
    event: 'connect',
    begin: (context) =>
      keepUp(64, context, (socket) =>
        socket.once('connect', () => {
          context.counts.events += 1;
          socket.resetAndDestroy();
        }),
      ),
  },
  'huge-frames': {
    about: '16 connections that announce a frame of 1 TiB, and come again when they are refused',
    event: 'frame',
    begin: (context) => {
      const head = frame(0x82, undefined, 2 ** 40);
      keepUp(16, context, (socket) => {
        socket.write(request());
        socket.once('data', () => {
          context.counts.events += 1;
          socket.resume();
          socket.write(head);
        });
      });
    },
  },
  'slow-readers': {
    about: '200 connections that ask for a flood and read nothing of it',
    event: 'connection',
    begin: (context) =>
      keepUp(200, context, (socket) => {
        socket.write(request('/flood'));
        socket.once('data', () => {
          context.counts.events += 1;
          socket.pause();
        });
      }),
  },
};
