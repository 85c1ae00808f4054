import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TidegateError } from '../../../src/receivers/errors.js';
import { dialError } from '../../../src/server/dial/dial-error.js';
import { type DialOptions, dialSocket } from '../../../src/server/dial/dial-socket.js';
import { parseTarget } from '../../../src/server/dial/target.js';
import { localhostCertificate, otherCertificate } from '../../support/tls.js';
import { closed, readAll, startPeer } from './peers.js';

const options = (extra: Partial<DialOptions> = {}): DialOptions => ({
  signal: new AbortController().signal,
  keepAlive: 1000,
  highWaterMark: 12_345,
  allowHalfOpen: false,
  ...extra,
});

async function dial(text: string, extra?: Partial<DialOptions>): Promise<net.Socket> {
  const socket = await dialSocket(parseTarget(text), options(extra));
  onTestFinished(() => void socket.destroy());
  return socket;
}

const faultOf = (text: string, extra?: Partial<DialOptions>): Promise<unknown> =>
  dial(text, extra).then(
    () => 'it connected',
    (error: unknown) => error,
  );

describe('dialSocket', () => {
  it('returns a paused socket that loses nothing the target sent at once', async () => {
    const peer = await startPeer((socket) => socket.end('banner'));
    const socket = await dial(`tcp://127.0.0.1:${peer.port}`);
    expect(socket.isPaused()).toBe(true);
    expect(socket.listenerCount('data')).toBe(0);
    expect(socket.readableHighWaterMark).toBe(12_345);
    await expect(readAll(socket)).resolves.toBe('banner');
  });

  it('leaves no listener of its own but the one for errors', async () => {
    const peer = await startPeer(() => {});
    const controller = new AbortController();
    const socket = await dial(`tcp://127.0.0.1:${peer.port}`, { signal: controller.signal });
    expect([socket.listenerCount('error'), socket.listenerCount('close'), socket.listenerCount('connect')]).toEqual([
      1, 0, 0,
    ]);
    controller.abort();
    expect(socket.destroyed).toBe(false);
  });

  it('survives a reset that nobody listens for', async () => {
    const peer = await startPeer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const socket = await dial(`tcp://127.0.0.1:${peer.port}`);
    socket.write('x');
    socket.resume();
    await closed(socket);
    expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
  });

  it('keeps its own direction open after the FIN of the target when asked to', async () => {
    const peer = await startPeer((socket) => socket.end('bye'));
    const socket = await dial(`tcp://127.0.0.1:${peer.port}`, { allowHalfOpen: true });
    socket.resume();
    await once(socket, 'end');
    expect(socket.writable).toBe(true);
  });

  it('tries every address of a name', async () => {
    const peer = await startPeer((socket) => socket.end('v4'));
    const socket = await dial(`tcp://localhost:${peer.port}`);
    await expect(readAll(socket)).resolves.toBe('v4');
  });

  it('connects to a Unix domain socket', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tidegate-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = path.join(folder, 'x.sock');
    await startPeer((socket) => socket.end('unix'), { path: file });
    await expect(readAll(await dial(`unix:${file}`))).resolves.toBe('unix');
    await expect(faultOf(`unix:${file}.missing`)).resolves.toMatchObject({ code: 'UPSTREAM_NOT_FOUND' });
  });

  it('says which target refused, and keeps the cause', async () => {
    const peer = net.createServer().listen(0, '127.0.0.1');
    await once(peer, 'listening');
    const address = peer.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await new Promise((resolve) => peer.close(resolve));
    const fault = await faultOf(`tcp://127.0.0.1:${port}`);
    expect(fault).toMatchObject({ code: 'UPSTREAM_REFUSED', cause: { code: 'ECONNREFUSED' } });
    expect(fault).toHaveProperty('message', expect.stringContaining(`tcp://127.0.0.1:${port}`));
    await expect(faultOf(`tcp://localhost:${port}`)).resolves.toMatchObject({ code: 'UPSTREAM_REFUSED' });
  });

  it('says that a name does not resolve', async () => {
    await expect(faultOf('tcp://no-such-host.invalid:1')).resolves.toMatchObject({ code: 'UPSTREAM_NOT_FOUND' });
  });

  it('judges several failed addresses by the one that answered', () => {
    const failed = (code: string) => Object.assign(new Error(code), { code });
    const all = new AggregateError([failed('ETIMEDOUT'), failed('ECONNREFUSED')]);
    const target = parseTarget('tcp://h:1');
    expect(dialError(target, all)).toMatchObject({ code: 'UPSTREAM_REFUSED', cause: all });
    expect(dialError(target, new AggregateError([failed('ETIMEDOUT')]))).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });

  it('gives up when the signal aborts, with the reason of the signal', async () => {
    const gone = new TidegateError('DOWNSTREAM_GONE', 'the client left');
    const late = new AbortController();
    const waiting = faultOf('tcp://127.0.0.1:1', { signal: late.signal });
    late.abort(gone);
    await expect(waiting).resolves.toBe(gone);
    await expect(faultOf('tcp://127.0.0.1:1', { signal: AbortSignal.abort(gone) })).resolves.toBe(gone);
    await expect(faultOf('tcp://127.0.0.1:1', { signal: AbortSignal.abort() })).resolves.toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
    });
  });

  it('closes the TCP connection when it gives up during the TLS handshake', async () => {
    const ends: Array<Promise<void>> = [];
    const controller = new AbortController();
    const peer = await startPeer((socket) => {
      ends.push(closed(socket));
      socket.once('data', () => controller.abort());
    });
    await expect(faultOf(`tls://127.0.0.1:${peer.port}`, { signal: controller.signal })).resolves.toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
    });
    await Promise.all(ends);
    expect(ends).toHaveLength(1);
  });
});

describe('dialSocket with TLS', () => {
  const { cert: ca } = localhostCertificate;

  it('verifies the certificate and names the host', async () => {
    const names: unknown[] = [];
    const peer = await startPeer((socket) => socket.end('safe'), {
      tls: {
        ...localhostCertificate,
        SNICallback: (name, done) => {
          names.push(name);
          done(null);
        },
      },
    });
    const byName = await dial(`tls://localhost:${peer.port}`, { tls: { ca } });
    expect(byName.isPaused()).toBe(true);
    await expect(readAll(byName)).resolves.toBe('safe');
    const byAddress = await dial(`tls://127.0.0.1:${peer.port}`, { tls: { ca } });
    await expect(readAll(byAddress)).resolves.toBe('safe');
    expect(names).toEqual(['localhost']);
  });

  it.each([
    ['an unknown issuer', localhostCertificate, {}],
    ['a name that is not on the certificate', otherCertificate, { ca: otherCertificate.cert }],
  ])('refuses %s unless told not to verify', async (_, certificate, extra) => {
    const peer = await startPeer((socket) => void socket.end('x'), { tls: certificate });
    const text = `tls://localhost:${peer.port}`;
    await expect(faultOf(text, { tls: extra })).resolves.toMatchObject({ code: 'UPSTREAM_TLS_FAILED' });
    await expect(readAll(await dial(text, { tls: { ...extra, rejectUnauthorized: false } }))).resolves.toBe('x');
  });

  it('says that a target which speaks no TLS failed at TLS', async () => {
    const peer = await startPeer((socket) => socket.write('SSH-2.0-x\r\n'));
    await expect(faultOf(`tls://127.0.0.1:${peer.port}`)).resolves.toMatchObject({ code: 'UPSTREAM_TLS_FAILED' });
  });

  it('says that a target which hangs up during TLS refused', async () => {
    const peer = await startPeer((socket) => socket.once('data', () => socket.destroy()));
    await expect(faultOf(`tls://127.0.0.1:${peer.port}`)).resolves.toMatchObject({ code: 'UPSTREAM_REFUSED' });
  });

  it('rejects when the TLS options cannot be used', async () => {
    const peer = await startPeer(() => {});
    await expect(faultOf(`tls://127.0.0.1:${peer.port}`, { tls: { cert: 'no certificate' } })).resolves.toMatchObject({
      code: 'UPSTREAM_TLS_FAILED',
    });
  });

  it('loses nothing of a large answer that waits behind a pause', async () => {
    const peer = await startPeer((socket) => socket.end(Buffer.alloc(1_000_000, 'z')), { tls: localhostCertificate });
    const socket = await dial(`tls://localhost:${peer.port}`, { tls: { ca } });
    await setImmediate();
    expect((await readAll(socket)).length).toBe(1_000_000);
  });
});
