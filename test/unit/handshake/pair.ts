/** Owns a connected pair for tests of answers: a wire on the server's side, a plain socket on the client's. */
import { once } from 'node:events';
import net from 'node:net';
import { onTestFinished } from 'vitest';
import type { Wire } from '../../../src/server/wires/wire.js';
import type { WireLayer } from '../../../src/server/wires/wire-layer.js';
import { deferred } from '../../support/events.js';
import { recordOf, SETTINGS, type WireRecord } from '../../support/wires.js';

/** The two ends of one TCP connection. */
export interface SocketPair {
  readonly server: Wire;
  readonly client: net.Socket;
  /** Resolves when the server's wire was closed, whoever it told. */
  readonly gone: Promise<void>;
  /** What the server's wire tells until somebody else is attached. */
  readonly record: WireRecord;
}

/** Connects a socket to a wire over 127.0.0.1. */
export async function socketPair(layer: WireLayer): Promise<SocketPair> {
  const listener = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  const accepted = deferred<Wire>();
  const gone = deferred();
  layer.accept(listener, SETTINGS, { opened: (wire) => accepted.resolve(wire), gone: () => gone.resolve() });
  const client = net.connect(address.port, '127.0.0.1');
  client.on('error', () => {});
  const server = await accepted.promise;
  onTestFinished(async () => {
    client.destroy();
    server.terminate();
    await new Promise((resolve) => listener.close(resolve));
  });
  return { server, client, gone: gone.promise, record: recordOf(server) };
}

/** Reads everything up to the end. */
export async function readAll(socket: net.Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}
