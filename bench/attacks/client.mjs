/**
 * Owns the users who are served meanwhile: some hundred messages a second over connections that stay, and a new connection now
 * and then. Tells how long each took.
 */
import { WebSocket } from 'ws';

const [, , port] = process.argv;
const CONNECTIONS = 50;
const TICK = 10;
const PER_TICK = 5;
const CONNECT_EVERY = 50;
const MESSAGE = Buffer.alloc(125, 'x');

let messages = [];
let connects = [];
let lost = 0;

const open = () => new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });

class User {
  #socket = open();
  #sent = [];

  constructor() {
    this.#socket.on('message', () => {
      const sent = this.#sent.shift();
      if (sent !== undefined) messages.push(performance.now() - sent);
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      lost += 1;
    });
    this.opened = new Promise((resolve) => this.#socket.once('open', resolve));
  }

  send() {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#sent.push(performance.now());
    this.#socket.send(MESSAGE);
  }

  /** How long those wait that have no answer yet. */
  waiting(now) {
    return this.#sent.map((sent) => now - sent);
  }
}

function connect() {
  const begun = performance.now();
  const socket = open();
  const timer = setTimeout(() => done(5000), 5000);
  const done = (milliseconds) => {
    clearTimeout(timer);
    connects.push(milliseconds);
    socket.terminate();
  };
  socket.on('error', () => {
    clearTimeout(timer);
    lost += 1;
  });
  socket.on('open', () => socket.send(MESSAGE));
  socket.on('message', () => done(performance.now() - begun));
}

const users = Array.from({ length: CONNECTIONS }, () => new User());
await Promise.all(users.map(({ opened }) => opened));
let next = 0;
setInterval(() => {
  for (let count = 0; count < PER_TICK; count += 1) {
    users[next % CONNECTIONS].send();
    next += 1;
  }
}, TICK);
setInterval(connect, CONNECT_EVERY);

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
const summary = (times) => {
  const sorted = times.sort((one, other) => one - other);
  return { count: sorted.length, p50: at(sorted, 0.5), p99: at(sorted, 0.99), max: sorted.at(-1) };
};
process.on('message', () => {
  const now = performance.now();
  // Who is still waiting has waited at least so long.
  const stuck = users.flatMap((user) => user.waiting(now)).filter((milliseconds) => milliseconds > 1000);
  process.send({ messages: summary([...messages, ...stuck]), connects: summary(connects), lost });
  messages = [];
  connects = [];
  lost = 0;
});
process.on('disconnect', () => process.exit());
process.send({ port });
