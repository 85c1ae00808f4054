/**
 * Owns the load: every client and every target of the benchmark, in one process, on bare sockets with frames that were
 * built before. Driven by messages of the parent. Refuses to know which proxy is in between.
 */
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { Counter, frame, OPCODE, payloadOf, repeated } from './frames.mjs';

/** How many messages one write may carry at most. */
const MAX_BATCH = 64;
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const FLOOD_FRAME = frame(OPCODE.binary, Buffer.alloc(65_536, 7), false);

/** What the targets send back at the moment. */
let current = prepare(16);

function prepare(size) {
  const payload = payloadOf(size);
  return {
    size,
    payload,
    fromClient: repeated(frame(OPCODE.binary, payload, true), MAX_BATCH),
    fromTarget: repeated(frame(OPCODE.binary, payload, false), MAX_BATCH),
    plain: repeated(payload, MAX_BATCH),
  };
}

/** Writes so many of the messages that a buffer holds `MAX_BATCH` times. */
function writeMany(socket, buffer, count) {
  const each = buffer.length / MAX_BATCH;
  for (let left = count; left > 0; left -= MAX_BATCH) {
    socket.write(buffer.subarray(0, Math.min(left, MAX_BATCH) * each));
  }
}

/** Counts how many messages one target owes, from the payload bytes that came to it. */
class Echo {
  #bytes = 0;
  #size = 0;
  #base = 0;
  #answered = 0;

  /** @param {number} bytes of payload that came in all */
  due(bytes) {
    if (this.#size !== current.size) {
      // Nothing is on its way when the size changes: all that came before was answered.
      this.#size = current.size;
      this.#base = this.#bytes;
      this.#answered = 0;
    }
    this.#bytes = bytes;
    const whole = Math.floor((bytes - this.#base) / current.size);
    const count = whole - this.#answered;
    this.#answered = whole;
    return count;
  }
}

// Targets.

function onHandshake(socket, whenOpen) {
  let head = '';
  const onData = (chunk) => {
    head += chunk.toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    socket.off('data', onData);
    const key = /^sec-websocket-key: *(.*)$/im.exec(head)[1].trim();
    const accept = createHash('sha1')
      .update(key + ACCEPT_GUID)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    whenOpen(Buffer.from(head.slice(end + 4), 'latin1'));
  };
  socket.on('data', onData);
}

function webSocketTarget(socket) {
  socket.setNoDelay(true).on('error', () => socket.destroy());
  onHandshake(socket, (rest) => {
    const echo = new Echo();
    const counter = new Counter((opcode, payload) => {
      if (opcode === OPCODE.ping) socket.write(frame(OPCODE.pong, payload, false));
      if (opcode === OPCODE.close) socket.end(frame(OPCODE.close, payload, false));
    });
    const onData = (chunk) => {
      counter.take(chunk);
      const count = echo.due(counter.bytes);
      if (count > 0) writeMany(socket, current.fromTarget, count);
    };
    socket.on('data', onData);
    if (rest.length > 0) onData(rest);
  });
}

function plainTarget(socket) {
  socket.setNoDelay(true).on('error', () => socket.destroy());
  const echo = new Echo();
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    const count = echo.due(bytes);
    if (count > 0) writeMany(socket, current.plain, count);
  });
}

/** Sends as fast as it may, and counts what was taken from it. */
const flood = { sockets: new Set() };

function floodFrom(socket, bytes) {
  flood.sockets.add(socket);
  socket.on('close', () => flood.sockets.delete(socket));
  const more = () => {
    while (socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

function floodWebSocket(socket) {
  socket.setNoDelay(true).on('error', () => socket.destroy());
  onHandshake(socket, () => {
    socket.resume();
    floodFrom(socket, FLOOD_FRAME);
  });
}

function floodPlain(socket) {
  socket.on('error', () => socket.destroy());
  socket.resume();
  floodFrom(socket, FLOOD_FRAME);
}

async function listen(onConnection) {
  const server = createServer(onConnection).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return server.address().port;
}

// Clients.

const HANDSHAKE =
  'GET /bench HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const CLOSE = frame(OPCODE.close, Buffer.from([3, 232]), true);

// All clients read into one buffer: its bytes are done with before the next read.
const readBuffer = Buffer.alloc(256 * 1024);

/** One client. It keeps `window` messages on their way while it is told to. */
class Client {
  sent = 0;
  received = 0;
  failed = false;

  static open(port) {
    return new Promise((resolve, reject) => {
      const client = new Client();
      client.socket = connect({
        host: '127.0.0.1',
        port,
        noDelay: true,
        onread: {
          buffer: readBuffer,
          callback: (length) => {
            client.onData(readBuffer.subarray(0, length));
            return true;
          },
        },
      });
      client.onOpen = () => resolve(client);
      client.socket.on('connect', () => client.socket.write(HANDSHAKE));
      client.socket.on('error', reject);
      client.socket.on('close', () => {
        client.failed = true;
        reject(new Error(`closed before the 101: ${client.head}`));
        client.onClose?.();
      });
    });
  }

  constructor() {
    this.head = '';
    this.open = false;
    this.running = false;
    this.counter = new Counter((opcode, payload) => {
      if (opcode === OPCODE.ping) this.socket.write(frame(OPCODE.pong, payload, true));
    });
  }

  onData(chunk) {
    if (!this.open) {
      this.head += chunk.toString('latin1');
      const end = this.head.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!this.head.startsWith('HTTP/1.1 101 ')) {
        this.socket.destroy();
        return;
      }
      this.open = true;
      this.onOpen();
      return;
    }
    this.counter.take(chunk);
    const whole = Math.floor(this.counter.bytes / current.size);
    const count = whole - this.received;
    if (count <= 0) return;
    this.received = whole;
    if (this.running) this.send(count);
    else if (this.received === this.sent) this.onIdle?.();
  }

  send(count) {
    this.sent += count;
    writeMany(this.socket, current.fromClient, count);
  }

  begin(window) {
    this.sent = 0;
    this.received = 0;
    this.counter.bytes = 0;
    this.running = true;
    this.send(window);
  }

  /** Sends no more, and resolves when everything that was sent has come back. */
  finish() {
    this.running = false;
    return new Promise((resolve) => {
      this.onIdle = resolve;
      this.onClose = resolve;
      if (this.received === this.sent || this.failed) resolve();
    });
  }
}

/** Connections that stay open between the runs, by name of the proxy. */
const pools = new Map();

const commands = {
  /** Opens connections through a proxy and checks one message on each, byte by byte. */
  async open({ name, port, connections }) {
    current = prepare(1000);
    const clients = [];
    for (let count = 0; count < connections; count += 1) clients.push(await Client.open(port));
    for (const client of clients) {
      client.counter.expected = current.payload;
      client.begin(3);
    }
    await Promise.all(clients.map((client) => client.finish()));
    for (const client of clients) {
      if (client.failed || client.counter.mismatches > 0) throw new Error(`${name} changed or lost what was sent`);
      client.counter.expected = null;
    }
    pools.set(name, clients);
    return {};
  },

  /** Sends for a time, and waits until everything has come back. */
  async run({ name, size, window, ms }) {
    const clients = pools.get(name);
    current = prepare(size);
    const cpu = process.cpuUsage();
    const begun = performance.now();
    for (const client of clients) client.begin(window);
    await new Promise((resolve) => setTimeout(resolve, ms));
    await Promise.all(clients.map((client) => client.finish()));
    const { user, system } = process.cpuUsage(cpu);
    let messages = 0;
    for (const client of clients) {
      if (client.failed || client.received !== client.sent || client.counter.bytes !== client.sent * size) {
        throw new Error(`${name}: ${client.sent} messages were sent and ${client.received} came back`);
      }
      // There and back: the proxy moved each of them twice.
      messages += 2 * client.received;
    }
    return { messages, seconds: (performance.now() - begun) / 1000, cpu: (user + system) / 1e6 };
  },

  /** Connects, shakes hands, gets one message back and closes, over and over. */
  async handshakes({ port, slots, ms }) {
    current = prepare(16);
    const end = performance.now() + ms;
    let count = 0;
    const slot = async () => {
      while (performance.now() < end) {
        const client = await Client.open(port);
        const closed = {};
        closed.promise = new Promise((resolve) => {
          closed.resolve = resolve;
        });
        // One message, because a proxy may accept its client before it has reached the target.
        client.begin(1);
        await client.finish();
        client.onClose = closed.resolve;
        client.socket.end(CLOSE);
        await closed.promise;
        count += 1;
      }
    };
    await Promise.all(Array.from({ length: slots }, slot));
    return { count };
  },

  /** Opens clients that do not read, while the target sends as fast as it may; says what was taken from it. */
  async flood({ port, connections, ms }) {
    const clients = [];
    for (let count = 0; count < connections; count += 1) {
      const client = await Client.open(port);
      client.socket.pause();
      clients.push(client);
    }
    await new Promise((resolve) => setTimeout(resolve, ms));
    let taken = 0;
    for (const socket of flood.sockets) taken += socket.bytesWritten - socket.writableLength;
    for (const client of clients) client.socket.destroy();
    for (const socket of flood.sockets) socket.destroy();
    return { taken };
  },

  async ports() {
    return {
      websocket: await listen(webSocketTarget),
      plain: await listen(plainTarget),
      floodWebsocket: await listen(floodWebSocket),
      floodPlain: await listen(floodPlain),
    };
  },
};

process.on('message', async ({ id, command, ...options }) => {
  try {
    process.send({ id, result: await commands[command](options) });
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) });
  }
});
process.on('disconnect', () => process.exit());
