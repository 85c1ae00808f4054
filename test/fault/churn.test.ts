/** Owns ten thousand connections that come and go in every manner, and that nothing is left of them (P5, P7). */
import { describe, expect, it, onTestFinished } from 'vitest';
import { reject } from '../../src/index.js';
import { expectQuiet, holdings } from '../support/descriptors.js';
import { closePayload, encodeFrame, Opcode } from '../support/frames.js';
import { requestBytes } from '../support/raw-client.js';
import { QuietReceiver, RecordingReceiver } from '../support/recording-receiver.js';
import { connectTcp, TcpPeer } from '../support/tcp-peer.js';
import { emptied, runProxy } from './running.js';

const BATCH = 100;
const CONNECTIONS = 10_000;

const close = encodeFrame({ opcode: Opcode.Close, payload: closePayload(1000), masked: true });
const message = encodeFrame({ opcode: Opcode.Binary, payload: Buffer.alloc(100, 'x'), masked: true });

/** The manners in which a client comes and goes, by turns. */
const MANNERS: readonly ((port: number) => Promise<void>)[] = [
  async function closesCleanly(port) {
    const connection = await connectTcp({ port });
    connection.write(Buffer.concat([requestBytes({ port }), message, close]));
    await connection.waitForEnd();
    connection.end();
    await connection.closed();
  },
  async function resetsWhileOpen(port) {
    const connection = await connectTcp({ port });
    connection.write(Buffer.concat([requestBytes({ port }), message]));
    await connection.readUntil('\r\n\r\n');
    connection.reset();
    await connection.closed();
  },
  async function endsWithoutClose(port) {
    const connection = await connectTcp({ port, allowHalfOpen: false });
    connection.write(requestBytes({ port }));
    await connection.readUntil('\r\n\r\n');
    connection.end();
    await connection.closed();
  },
  async function isRefused(port) {
    const connection = await connectTcp({ port, allowHalfOpen: false });
    connection.write(requestBytes({ port, path: '/refused' }));
    expect((await connection.readAll()).toString()).toMatch(/^HTTP\/1\.1 404 /);
    await connection.closed();
  },
  async function breaksARule(port) {
    const connection = await connectTcp({ port });
    connection.write(Buffer.concat([requestBytes({ port }), Buffer.from([0xff, 0xff])]));
    await connection.waitForEnd();
    connection.end();
    await connection.closed();
  },
  async function leavesAtOnce(port) {
    const connection = await connectTcp({ port });
    connection.write(requestBytes({ port }));
    connection.reset();
    await connection.closed();
  },
];

describe('P7: ten thousand connections, half with each receiver, a hundred at a time', () => {
  it.each(['quiet', 'recording'] as const)(
    'closed, reset, refused and broken, with a %s receiver: no descriptor, timer or connection is left',
    async (kind) => {
      const target = await TcpPeer.echo();
      const decide = (path: string) => (path === '/refused' ? reject(404) : true);
      const onUpgradeRequest = (request: { path: string }) => decide(request.path);
      const proxy = await runProxy({
        target: target.url,
        receiver: () =>
          kind === 'quiet' ? new QuietReceiver({ onUpgradeRequest }) : new RecordingReceiver({ onUpgradeRequest }),
      });
      onTestFinished(async () => {
        await proxy.server.stop({ drainTimeout: 0 });
        await target.close();
      });
      const batch = (first: number) =>
        Promise.all(
          Array.from({ length: BATCH }, (_, index) => MANNERS[(first + index) % MANNERS.length]!(proxy.port)),
        );
      await batch(0);
      await emptied(proxy.server);
      const before = holdings();
      for (let done = 0; done < CONNECTIONS / 2; done += BATCH) await batch(done);
      await emptied(proxy.server);
      await expectQuiet(before);
      expect(target.openConnections).toBe(0);
      expect(proxy.exceptions.all).toEqual([]);
    },
    120_000,
  );
});
