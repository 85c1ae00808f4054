/** Owns dialling a name with several addresses, over real sockets: which one is connected to, when, and what is left of the others. */
import { once } from 'node:events';
import net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type DialOptions, dialTarget } from '../../../src/server/dial/dial-target.js';
import { parseTarget } from '../../../src/server/dial/target.js';
import { expectQuiet, holdings } from '../../support/descriptors.js';
import { refusedPort, unansweredPort } from '../../support/tcp-peer.js';
import { localhostCertificate } from '../../support/tls.js';
import { LAYERS } from '../../support/wires.js';
import { startPeer } from './peers.js';

const LONG = 60_000;

describe.each(LAYERS.map((layer) => [layer.kind, layer] as const))(
  'a name with several addresses on the %s layer',
  (_, layer) => {
    const dial = async (
      port: number,
      addresses: readonly string[],
      extra: Partial<DialOptions> = {},
      scheme = 'tcp',
    ) => {
      const wire = await dialTarget(parseTarget(`${scheme}://desk.example:${port}`), {
        signal: new AbortController().signal,
        keepAlive: 1000,
        highWaterMark: 16_384,
        layer,
        attemptDelay: LONG,
        lookup: () => addresses,
        ...extra,
      });
      onTestFinished(() => wire.terminate());
      return wire;
    };

    /** A port where 127.0.0.1 says nothing and 127.0.0.2 answers. */
    async function halfAnswered(): Promise<number> {
      const unanswered = await unansweredPort();
      const server = net.createServer((socket) => void socket.on('error', () => {}).resume());
      server.listen(unanswered.port, '127.0.0.2');
      await once(server, 'listening');
      onTestFinished(async () => {
        await unanswered.close();
        server.close();
      });
      return unanswered.port;
    }

    it('is connected to at the second while the first says nothing', async () => {
      const wire = await dial(await halfAnswered(), ['127.0.0.1', '127.0.0.2'], { attemptDelay: 20 });
      expect(wire.addresses.remoteAddress).toBe('127.0.0.2');
    });

    it('is connected to at the second as soon as the first refuses', async () => {
      const peer = await startPeer(() => {}, { host: '127.0.0.2' });
      expect((await dial(peer.port, ['127.0.0.1', '127.0.0.2'])).addresses.remoteAddress).toBe('127.0.0.2');
    });

    it('has TLS with the one that was connected to, for the name', async () => {
      const peer = await startPeer(() => {}, { host: '127.0.0.2', tls: localhostCertificate });
      const tls = { ca: localhostCertificate.cert, servername: 'localhost' };
      const wire = await dial(peer.port, ['127.0.0.1', '127.0.0.2'], { tls }, 'tls');
      expect([wire.addresses.remoteAddress, wire.tls?.authorized]).toEqual(['127.0.0.2', true]);
    });

    it('is told of with every address when all refuse', async () => {
      const port = await refusedPort();
      const error: unknown = await dial(port, ['127.0.0.1', '127.0.0.2', '::1']).catch((one: unknown) => one);
      expect(error).toMatchObject({ code: 'UPSTREAM_REFUSED' });
      // The fast layer says in words what the code means.
      expect(String(error).replaceAll(': connection refused', '')).toBe(
        `TidegateError: cannot reach tcp://desk.example:${port}: connect ECONNREFUSED 127.0.0.1:${port}; connect ECONNREFUSED ::1:${port}; connect ECONNREFUSED 127.0.0.2:${port}`,
      );
    });

    it('leaves nothing behind when nobody waits any more while several are tried', async () => {
      const unanswered = await unansweredPort();
      onTestFinished(() => unanswered.close());
      const giveUp = async (): Promise<void> => {
        const controller = new AbortController();
        const addresses = ['127.0.0.1', '::ffff:127.0.0.1'];
        const waiting = dial(unanswered.port, addresses, { signal: controller.signal, attemptDelay: 10 });
        waiting.catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 30));
        controller.abort();
        await expect(waiting).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
      };
      await giveUp();
      const before = holdings();
      for (let count = 0; count < 3; count += 1) await giveUp();
      await expectQuiet(before);
    });

    it('is given up while it is resolved', async () => {
      const controller = new AbortController();
      const waiting = dial(1, [], { signal: controller.signal, lookup: () => new Promise(() => {}) });
      await setImmediate();
      controller.abort();
      await expect(waiting).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    });
  },
);
