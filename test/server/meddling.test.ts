/**
 * Owns that an application may do anything to any connection from inside a callback, while bytes are on their way through memory
 * that all connections share: what passes stays what it was, and so does what the application keeps.
 */
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../src/index.js';
import { Random } from '../fuzz/random.js';
import { encodeFrame, Opcode, type RawClient } from '../support/raw-client.js';
import { receiverFactory } from '../support/recording-receiver.js';
import { localhostCertificate } from '../support/tls.js';
import { startEcho, startProxy, startReceivers } from './stage.js';

const { key, cert } = localhostCertificate;
const CLIENTS = 8;
/** Those after them are cut by the others. */
const VICTIMS = 4;
const MESSAGES = 80;

/** The messages of one client: of all sizes up to a few records of TLS, each of bytes that say whose they are and which. */
function messagesOf(client: number): Buffer[] {
  const random = new Random(client);
  return Array.from({ length: MESSAGES }, (_, n) => {
    const size = random.pick([3, 100, 126, 1000, 4090, 5000, 9000, 40_000]) + random.below(9);
    return Buffer.from(`${client}:${n} `.repeat(1 + size / 4).slice(0, size));
  });
}

/** Does something to some connection, as applications do that serve several of them. */
function meddle(random: Random, all: readonly Connection[], own: Connection): void {
  const other = random.pick(all);
  switch (random.below(9)) {
    case 0:
      for (const one of all) one.send('to everyone');
      break;
    case 1:
      other.send('x'.repeat(random.below(20_000)));
      break;
    case 2:
      other.pause();
      other.resume();
      break;
    case 3:
      own.pause();
      own.resume();
      break;
    case 4:
      other.ping('there?');
      break;
    case 5:
      random.pick(all.slice(CLIENTS)).terminate();
      break;
    case 6:
      random.pick(all.slice(CLIENTS)).close(4000, 'meddled with');
      break;
    default:
      other.snapshot();
  }
}

/** Sends in pieces that the system may join, and reads until all of it came back. */
async function exchange(client: RawClient, messages: readonly Buffer[]): Promise<Buffer> {
  const bytes = Buffer.concat(messages.map((payload) => encodeFrame({ opcode: Opcode.Binary, payload, masked: true })));
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const next = at + [5000, 50_000, 300_000][n % 3]!;
    client.sendRaw(bytes.subarray(at, next));
    at = next;
  }
  const parts: Buffer[] = [];
  const wanted = messages.reduce((sum, { length }) => sum + length, 0);
  for (let size = 0; size < wanted; ) {
    const { kind, data } = await client.nextMessage();
    if (kind === 'text') continue;
    parts.push(data);
    size += data.length;
  }
  return Buffer.concat(parts);
}

describe.each(['ws', 'tcp'])(
  'a receiver that does all kinds of things in its callbacks, before a %s target',
  (kind) => {
    it.each(['plain', 'TLS'])('gets and passes on what was sent, and may keep it (%s)', async (transport) => {
      const echo = receiverFactory({ onBinary: (data, { connection }) => void connection.send(data) });
      const target =
        kind === 'tcp'
          ? (await startEcho()).url
          : `ws://127.0.0.1:${(await startReceivers({ receiver: echo.create })).port}`;
      const random = new Random(7);
      const all: Connection[] = [];
      const kept = new Map<string, { up: Buffer[]; down: Buffer[] }>();
      const receivers = receiverFactory({
        onOpen: (_, { connection }) => {
          all.push(connection);
          kept.set(connection.request.url, { up: [], down: [] });
        },
        onBinary: (data, { connection }) => {
          kept.get(connection.request.url)!.up.push(data);
          meddle(random, all, connection);
        },
        onUpstreamBinary: (data, { connection }) => {
          kept.get(connection.request.url)!.down.push(data);
          meddle(random, all, connection);
        },
      });
      const secure = { listen: { host: '127.0.0.1', port: 0, tls: { key, cert } } };
      const { open, events } = await startProxy({
        target,
        receiver: receivers.create,
        limits: { maxQueuedBytes: 2 ** 30 },
        ...(transport === 'TLS' ? secure : {}),
      });
      const tls = { ca: cert, servername: 'localhost' };
      const clients: RawClient[] = [];
      for (let n = 0; n < CLIENTS + VICTIMS; n += 1) {
        clients.push(await open({ path: `/${n}`, ...(transport === 'TLS' ? { tls } : {}) }));
      }
      const sent = clients.map((_, n) => messagesOf(n));
      const victims = clients.slice(CLIENTS).map((client, n) => exchange(client, sent[CLIENTS + n]!).catch(() => {}));
      const back = await Promise.all(clients.slice(0, CLIENTS).map((client, n) => exchange(client, sent[n]!)));
      await Promise.all(victims);
      for (let n = 0; n < CLIENTS; n += 1) {
        const expected = Buffer.concat(sent[n]!);
        const { up, down } = kept.get(`/${n}`)!;
        expect(up.map((data, at) => data.equals(sent[n]![at]!))).toEqual(sent[n]!.map(() => true));
        expect([back[n]!.equals(expected), Buffer.concat(down).equals(expected)]).toEqual([true, true]);
      }
      for (let n = CLIENTS; n < CLIENTS + VICTIMS; n += 1) {
        // Of those that were cut it is the beginning.
        const { up, down } = kept.get(`/${n}`)!;
        const gave = Buffer.concat(down);
        expect(up.map((data, at) => data.equals(sent[n]![at]!))).toEqual(up.map(() => true));
        expect(gave.equals(Buffer.concat(sent[n]!).subarray(0, gave.length))).toBe(true);
      }
      expect(events.exceptions.all).toEqual([]);
    });
  },
);
