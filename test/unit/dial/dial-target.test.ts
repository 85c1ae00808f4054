/** Owns dialling: every kind of target becomes a wire that has lost nothing, or an error that says which target failed how. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TidegateError } from '../../../src/receivers/errors.js';
import { dialError } from '../../../src/server/dial/dial-error.js';
import { type DialOptions, dialTarget } from '../../../src/server/dial/dial-target.js';
import { parseTarget } from '../../../src/server/dial/target.js';
import type { Wire } from '../../../src/server/wires/wire.js';
import { expectQuiet, holdings } from '../../support/descriptors.js';
import { refusedPort, unansweredPort } from '../../support/tcp-peer.js';
import { localhostCertificate, otherCertificate } from '../../support/tls.js';
import { LAYERS, recordOf } from '../../support/wires.js';
import { closed, startPeer } from './peers.js';

describe.each(LAYERS.map((layer) => [layer.kind, layer] as const))('dialTarget on the %s layer', (_, layer) => {
  async function dial(text: string, extra: Partial<DialOptions> = {}): Promise<Wire> {
    const { signal } = new AbortController();
    const wire = await dialTarget(parseTarget(text), {
      signal,
      keepAlive: 1000,
      highWaterMark: 12_345,
      layer,
      ...extra,
    });
    onTestFinished(() => wire.terminate());
    return wire;
  }

  function readAll(wire: Wire): Promise<string> {
    const record = recordOf(wire);
    wire.read();
    return record.all();
  }

  const faultOf = (text: string, extra?: Partial<DialOptions>): Promise<unknown> =>
    dial(text, extra).then(
      () => 'it connected',
      (error: unknown) => error,
    );

  it('returns a wire that is not read, and loses nothing the target sent at once', async () => {
    const peer = await startPeer((socket) => socket.end('banner'));
    const wire = await dial(`tcp://127.0.0.1:${peer.port}`);
    await setImmediate();
    expect(wire.bytesRead).toBe(0);
    expect(wire.addresses).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: peer.port });
    await expect(readAll(wire)).resolves.toBe('banner');
  });

  it('has no use for its signal any more once it is connected', async () => {
    const peer = await startPeer(() => {});
    const controller = new AbortController();
    const wire = await dial(`tcp://127.0.0.1:${peer.port}`, { signal: controller.signal });
    controller.abort();
    await setImmediate();
    expect(wire.closed).toBe(false);
  });

  it('survives a reset that nobody listens for', async () => {
    const peer = await startPeer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const wire = await dial(`tcp://127.0.0.1:${peer.port}`);
    wire.write(Buffer.from('x'));
    wire.read();
    const [socket] = peer.sockets;
    if (socket !== undefined) await closed(socket);
    const record = recordOf(wire);
    if (!wire.closed) await record.saw('closed');
    expect(wire.closed).toBe(true);
  });

  it('says that a target which resets was reset', async () => {
    const peer = await startPeer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const wire = await dial(`tcp://127.0.0.1:${peer.port}`);
    const record = recordOf(wire);
    wire.write(Buffer.from('x'));
    wire.read();
    await record.saw('closed');
    expect(record.error).toMatchObject({ code: 'ECONNRESET' });
  });

  it.each(['127.0.0.1', 'localhost'])('keeps its own direction open after the FIN of %s', async (host) => {
    let answer = '';
    const peer = await startPeer((socket) => {
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
      });
      socket.end('bye');
    });
    const wire = await dial(`tcp://${host}:${peer.port}`);
    await expect(readAll(wire)).resolves.toBe('bye');
    const [socket] = peer.sockets;
    if (socket === undefined) throw new Error('the target has no connection');
    wire.write(Buffer.from('still here'));
    wire.end();
    await closed(socket);
    expect(answer).toBe('still here');
  });

  it('tries every address of a name', async () => {
    const peer = await startPeer((socket) => socket.end('v4'));
    await expect(readAll(await dial(`tcp://localhost:${peer.port}`))).resolves.toBe('v4');
  });

  it('connects to an IPv6 address', async () => {
    const peer = await startPeer((socket) => socket.end('v6'), { host: '::1' });
    const wire = await dial(`tcp://[::1]:${peer.port}`);
    expect(wire.addresses).toMatchObject({ remoteAddress: '::1', remotePort: peer.port, localAddress: '::1' });
    await expect(readAll(wire)).resolves.toBe('v6');
    await expect(faultOf(`tcp://[::1]:${await refusedPort()}`)).resolves.toMatchObject({ code: 'UPSTREAM_REFUSED' });
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
    const port = await refusedPort();
    const fault = await faultOf(`tcp://127.0.0.1:${port}`);
    expect(fault).toMatchObject({ code: 'UPSTREAM_REFUSED', cause: { code: 'ECONNREFUSED' } });
    expect(fault).toHaveProperty(
      'message',
      expect.stringContaining(`tcp://127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`),
    );
    await expect(faultOf(`tcp://localhost:${port}`)).resolves.toMatchObject({ code: 'UPSTREAM_REFUSED' });
  });

  it('says that a name does not resolve', async () => {
    await expect(faultOf('tcp://no-such-host.invalid:1')).resolves.toMatchObject({ code: 'UPSTREAM_NOT_FOUND' });
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

  it('leaves no handle behind when it is refused or gives up while nobody answers', async () => {
    const port = await refusedPort();
    const unanswered = await unansweredPort();
    onTestFinished(() => unanswered.close());
    const failBoth = async (): Promise<void> => {
      await expect(faultOf(`tcp://127.0.0.1:${port}`)).resolves.toMatchObject({ code: 'UPSTREAM_REFUSED' });
      const controller = new AbortController();
      const waiting = faultOf(unanswered.url, { signal: controller.signal });
      await setImmediate();
      controller.abort();
      await expect(waiting).resolves.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    };
    await failBoth();
    const before = holdings();
    for (let n = 0; n < 3; n += 1) await failBoth();
    await expectQuiet(before);
  });

  const { cert: ca } = localhostCertificate;

  it('verifies the certificate of a TLS target and names the host', async () => {
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
    expect([byName.bytesRead, byName.tls?.authorized]).toEqual([0, true]);
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
    const wire = await dial(`tls://localhost:${peer.port}`, { tls: { ca } });
    await setImmediate();
    expect((await readAll(wire)).length).toBe(1_000_000);
  });
});

describe('dialError', () => {
  it('judges several failed addresses by the one that answered', () => {
    const failed = (code: string) => Object.assign(new Error(code), { code });
    const all = new AggregateError([failed('ETIMEDOUT'), failed('ECONNREFUSED')]);
    const target = parseTarget('tcp://h:1');
    expect(dialError(target, all)).toMatchObject({ code: 'UPSTREAM_REFUSED', cause: all });
    expect(dialError(target, new AggregateError([failed('ETIMEDOUT')]))).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });
});
