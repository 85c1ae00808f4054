/** Owns how a TLS connection ends: with a close_notify before the FIN, and that half of one is served as without TLS. */
import { connect as connectPlain, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ProxyServerOptions } from '../../src/index.js';
import { waitForEvent } from '../support/events.js';
import { encodeFrame, Opcode, requestBytes } from '../support/raw-client.js';
import { receiverFactory } from '../support/recording-receiver.js';
import { localhostCertificate } from '../support/tls.js';
import { startProxy, startReceivers, startTcp, startUpstream } from './stage.js';

const { cert, key } = localhostCertificate;

/** The kinds of TLS records (RFC 8446 section 5.1), which TLS 1.2 shows. */
const ALERT = 21;

/** A TLS client that sees the records of the server as well. */
class Observer {
  readonly tls: TLSSocket;
  /** The kind of each record that came, in order. */
  readonly records: number[] = [];
  /** Resolves with how the transport ended. */
  readonly ended: Promise<'fin' | 'reset'>;
  text = '';

  constructor(port: number) {
    const raw = connectPlain(port, '127.0.0.1');
    onTestFinished(() => void raw.destroy());
    let held = Buffer.alloc(0);
    const wire = new Duplex({
      read: () => void raw.resume(),
      write: (chunk: Buffer, _encoding, done) => void raw.write(chunk, done),
      final: (done) => void raw.end(done),
    });
    raw.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      for (let size = sizeOf(held); size <= held.length; size = sizeOf(held)) {
        this.records.push(held[0]!);
        held = held.subarray(size);
      }
      wire.push(chunk);
    });
    this.ended = new Promise((resolve) => {
      raw.once('end', () => {
        resolve('fin');
        wire.push(null);
      });
      raw.once('error', () => resolve('reset'));
    });
    const options = { ca: cert, servername: 'localhost', maxVersion: 'TLSv1.2' as const };
    this.tls = connect({ ...options, socket: wire as Socket, allowHalfOpen: true } as ConnectionOptions);
    this.tls.on('error', () => {});
    this.tls.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
    });
  }

  /** Sends a handshake and waits for the whole head of the answer. */
  async upgrade(options: { readonly omitHeaders?: readonly string[] } = {}): Promise<void> {
    this.tls.write(requestBytes({ ...options }));
    while (!this.text.includes('\r\n\r\n')) await waitForEvent(this.tls, 'data');
  }
}

function sizeOf(bytes: Buffer): number {
  return bytes.length < 5 ? Number.POSITIVE_INFINITY : 5 + bytes.readUInt16BE(3);
}

const tls: NonNullable<ProxyServerOptions['tls']> = { cert, key };

describe('a close_notify goes before the FIN', () => {
  it('after a closing handshake', async () => {
    const { port } = await startReceivers({ tls });
    const client = new Observer(port);
    await client.upgrade();
    client.tls.write(encodeFrame({ opcode: Opcode.Close, payload: Buffer.from([0x03, 0xe8]), masked: true }));
    expect(await client.ended).toBe('fin');
    expect(client.records.at(-1)).toBe(ALERT);
  });

  it('after a refusal', async () => {
    const { port } = await startReceivers({ tls });
    const client = new Observer(port);
    await client.upgrade({ omitHeaders: ['Upgrade'] });
    expect(await client.ended).toBe('fin');
    expect([client.text.slice(0, 12), client.records.at(-1)]).toEqual(['HTTP/1.1 426', ALERT]);
  });

  it('when the server drains', async () => {
    const { server, port } = await startReceivers({ tls });
    const client = new Observer(port);
    await client.upgrade();
    const stopped = server.stop();
    while (!client.text.includes('\x88')) await waitForEvent(client.tls, 'data');
    client.tls.write(encodeFrame({ opcode: Opcode.Close, payload: Buffer.from([0x03, 0xe9]), masked: true }));
    expect(await client.ended).toBe('fin');
    expect(client.records.at(-1)).toBe(ALERT);
    client.tls.end();
    await stopped;
  });

  it('when a byte target has ended, behind the Close frame', async () => {
    const target = await startTcp();
    const { port } = await startProxy({ tls, target: target.url });
    const client = new Observer(port);
    await client.upgrade();
    const upstream = await target.nextConnection();
    upstream.end();
    while (!client.text.includes('\x88')) await waitForEvent(client.tls, 'data');
    client.tls.write(encodeFrame({ opcode: Opcode.Close, payload: Buffer.from([0x03, 0xe8]), masked: true }));
    expect(await client.ended).toBe('fin');
    expect(client.records.at(-1)).toBe(ALERT);
  });

  it('and not when a connection is cut', async () => {
    const { server, port } = await startReceivers({ tls });
    const client = new Observer(port);
    await client.upgrade();
    server.terminateAll();
    await client.ended;
    expect(client.records.at(-1)).not.toBe(ALERT);
  });
});

/** A client that may end its direction and listen on, and what it was told so far. */
function halfOpen(port: number, secure: boolean) {
  const options = { port, host: '127.0.0.1', allowHalfOpen: true };
  const client = secure ? connect({ ...options, ca: cert, servername: 'localhost' }) : connectPlain(options);
  onTestFinished(() => void client.destroy());
  let text = '';
  client.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  return { client, said: () => text };
}

describe.each(['with TLS', 'without TLS'])('a client that has ended its direction, %s', (how) => {
  it('still gets the answer to its request', async () => {
    const secure = how === 'with TLS';
    const { port } = await startReceivers(secure ? { tls } : {});
    const { client, said } = halfOpen(port, secure);
    client.end(requestBytes({ port, omitHeaders: ['Upgrade'] }));
    await waitForEvent(client, 'end');
    expect(said()).toMatch(/^HTTP\/1\.1 426 [\s\S]*WebSocket client\.\n$/);
  });

  it('has what it sent passed on, and gets the answer to its Close', async () => {
    const target = await startTcp();
    const secure = how === 'with TLS';
    const receivers = receiverFactory();
    const { port, events } = await startProxy({
      ...(secure ? { tls } : {}),
      target: target.url,
      receiver: receivers.create,
    });
    const { client, said } = halfOpen(port, secure);
    client.write(requestBytes({ port }));
    const upstream = await target.nextConnection();
    client.end(
      Buffer.concat([
        encodeFrame({ opcode: Opcode.Binary, payload: Buffer.from('last words'), masked: true }),
        encodeFrame({ opcode: Opcode.Close, payload: Buffer.from([0x03, 0xe8]), masked: true }),
      ]),
    );
    const ended = waitForEvent(client, 'end');
    expect((await upstream.read(10)).toString()).toBe('last words');
    await ended;
    expect(said()).toContain('\x88\x02\x03\xe8');
    expect(await events.reports.next()).toMatchObject({ status: 1000 });
  });

  it('gets what is said long after that', async () => {
    const target = await startUpstream();
    const secure = how === 'with TLS';
    const { port } = await startProxy({ ...(secure ? { tls } : {}), target: target.url });
    const { client, said } = halfOpen(port, secure);
    client.write(requestBytes({ port }));
    const upstream = await target.nextConnection();
    client.end(encodeFrame({ opcode: Opcode.Close, payload: Buffer.from([0x03, 0xe8]), masked: true }));
    const ended = waitForEvent(client, 'end');
    await upstream.expectClose();
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    upstream.sendText('last words');
    upstream.sendClose(1000);
    upstream.end();
    await ended;
    expect(said()).toContain('last words');
  });
});
