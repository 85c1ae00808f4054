/**
 * Owns servers that tests of faults run against, with what they told about refusals, ends and exceptions. Refuses to hide
 * a server's options: each test says what it needs.
 */
import { onTestFinished } from 'vitest';
import {
  type CloseReport,
  ProxyServer,
  type ProxyServerOptions,
  ReceiverServer,
  type ReceiverServerOptions,
  type RejectedUpgrade,
} from '../../src/index.js';
import { eventually, WaitingLine } from '../support/events.js';

export { openClient, startTcpPeer, startUpstream } from '../support/for-one-test.js';

/** A running server and what it told so far. */
export interface Running {
  readonly server: ProxyServer | ReceiverServer;
  readonly port: number;
  readonly rejected: Told<RejectedUpgrade>;
  readonly reports: Told<CloseReport>;
  readonly exceptions: Told<unknown>;
}

/** The values of one event, in order. */
export class Told<Value> {
  readonly all: Value[] = [];
  readonly #line = new WaitingLine();
  #given = 0;

  add(value: Value): void {
    this.all.push(value);
    this.#line.notify();
  }

  /** Resolves with the first value that was not given yet. */
  next(): Promise<Value> {
    return this.#line.until(
      () => {
        const value = this.all[this.#given];
        if (this.#given < this.all.length) this.#given += 1;
        return value;
      },
      () => undefined,
    );
  }
}

/** Starts a proxy on a free port. Whoever starts it stops it. */
export function runProxy(options: ProxyServerOptions): Promise<Running> {
  return run(new ProxyServer({ listen: '127.0.0.1:0', ...options }));
}

/** Starts a proxy for one test. */
export async function startProxy(options: ProxyServerOptions): Promise<Running> {
  return stopped(await runProxy(options));
}

/** Starts a server without a target for one test. */
export async function startReceiverServer(options: ReceiverServerOptions): Promise<Running> {
  return stopped(await runReceiverServer(options));
}

/** Starts a server without a target on a free port. Whoever starts it stops it. */
export function runReceiverServer(options: ReceiverServerOptions): Promise<Running> {
  return run(new ReceiverServer({ listen: '127.0.0.1:0', ...options }));
}

async function run(server: ProxyServer | ReceiverServer): Promise<Running> {
  const rejected = new Told<RejectedUpgrade>();
  const reports = new Told<CloseReport>();
  const exceptions = new Told<unknown>();
  server.on('rejected', (refusal) => rejected.add(refusal));
  server.on('disconnected', (_connection, report) => reports.add(report));
  server.on('exception', (error) => exceptions.add(error));
  const [address] = await server.start();
  return { server, port: address!.port, rejected, reports, exceptions };
}

function stopped(running: Running): Running {
  onTestFinished(() => running.server.stop({ drainTimeout: 0 }));
  return running;
}

/** Resolves when the server has no connection any more, neither open nor on its way. */
export function emptied(server: Pick<ProxyServer, 'snapshot'>, within?: number): Promise<void> {
  const left = () => server.snapshot().connections;
  return eventually(() => left().length === 0, 'no connection is left', {
    within,
    instead: () => JSON.stringify(left().map(({ id, state, chart }) => ({ id, state, chart }))),
  });
}
