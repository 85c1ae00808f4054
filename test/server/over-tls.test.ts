/**
 * Owns what is particular to a client over TLS: one read of its socket decrypts into several pieces, also after reading was
 * stopped, so that pieces wait that no other wire has.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ProxyServerOptions } from '../../src/index.js';
import { encodeFrame, Opcode } from '../support/raw-client.js';
import { receiverFactory } from '../support/recording-receiver.js';
import { localhostCertificate } from '../support/tls.js';
import { startProxy, startTcp } from './stage.js';

const { key, cert } = localhostCertificate;

const SECURE: Pick<ProxyServerOptions, 'listen'> = { listen: { host: '127.0.0.1', port: 0, tls: { key, cert } } };
const CLIENT = { tls: { ca: cert, servername: 'localhost' } };

const COUNT = 2000;
const SIZE = 500;

/** Messages that say which they are, from the first byte to the last. */
const MESSAGES = Array.from({ length: COUNT }, (_, n) => Buffer.from(`${n} `.repeat(SIZE).slice(0, SIZE)));

const FRAMES = Buffer.concat(MESSAGES.map((payload) => encodeFrame({ opcode: Opcode.Binary, payload, masked: true })));

describe('a client over TLS', () => {
  it.each(['stream', 'messages'])(
    'has all that it sends before it is answered passed on in order on %s (P2)',
    async (path) => {
      const target = await startTcp();
      const receivers = receiverFactory({
        onUpgradeRequest: async () => {
          // Until as much was read as is read before the answer.
          for (let turn = 0; turn < 100; turn += 1) await nextTurn();
          return true;
        },
        ...(path === 'messages' ? { onBinary: () => undefined } : {}),
      });
      const { open } = await startProxy({
        ...SECURE,
        target: target.url,
        receiver: receivers.create,
        limits: { highWaterMark: 16 * 1024 },
      });
      const [upstream] = await Promise.all([target.nextConnection(), open({ ...CLIENT, head: FRAMES })]);
      expect((await upstream.read(COUNT * SIZE)).equals(Buffer.concat(MESSAGES))).toBe(true);
    },
  );

  it('has its messages delivered in order to a receiver that pauses and resumes in its callbacks while the target is slow (P2)', async () => {
    const target = await startTcp();
    const delivered: Buffer[] = [];
    const receivers = receiverFactory({
      onBinary: (data, { connection }) => {
        delivered.push(data);
        connection.pause();
        connection.resume();
      },
    });
    const { open } = await startProxy({ ...SECURE, target: target.url, receiver: receivers.create });
    const client = await open(CLIENT);
    const upstream = await target.nextConnection();
    upstream.pauseReading();
    for (let round = 0; round < 20; round += 1) client.sendRaw(FRAMES);
    for (let turn = 0; turn < 500; turn += 1) await nextTurn();
    upstream.resumeReading();
    for (let round = 0; round < 20; round += 1) {
      expect((await upstream.read(COUNT * SIZE)).equals(Buffer.concat(MESSAGES))).toBe(true);
    }
    expect(delivered.length).toBe(20 * COUNT);
    expect(delivered.every((data, n) => data.equals(MESSAGES[n % COUNT]!))).toBe(true);
  });
});
