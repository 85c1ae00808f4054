/**
 * Owns a load balancer before backends that say their name to each client in a first message, for tests about who gets which one.
 * Everything is closed when the test that asked for it has finished. Refuses to assert anything.
 */
import { onTestFinished } from 'vitest';
import { LoadBalancer, type LoadBalancerOptions, type RejectedUpgrade } from '../../src/index.js';
import { openClient, startUpstream } from '../support/for-one-test.js';
import { encodeFrame, Opcode } from '../support/frames.js';
import { type HandshakeAnswer, RawClient, type RawClientOptions } from '../support/raw-client.js';
import type { RawUpstream } from '../support/raw-upstream.js';

/** Backends by name. */
export type NamedBackends = Readonly<Record<string, RawUpstream>>;

/** Starts a backend for each name. */
export async function startBackends(...names: string[]): Promise<NamedBackends> {
  const backends: Record<string, RawUpstream> = {};
  for (const name of names) {
    backends[name] = await startUpstream({ firstBytes: encodeFrame({ opcode: Opcode.Text, payload: name }) });
  }
  return backends;
}

/** A balancer that runs. */
export interface RunningBalancer {
  readonly balancer: LoadBalancer;
  readonly port: number;
  readonly rejections: RejectedUpgrade[];
  readonly exceptions: unknown[];
  /** Opens a client, and answers with it, the name of its backend, and the answer to its handshake. */
  visit(options?: RawClientOptions): Promise<Visit>;
  handshake(options?: RawClientOptions): Promise<HandshakeAnswer>;
}

/** One client on a backend. */
export interface Visit {
  readonly client: RawClient;
  readonly backend: string;
  /** The fields that set a cookie. */
  readonly setCookie: string[];
  /** The first pair of the first of them: what the client sends from then on; undefined when none was set. */
  readonly cookie: string | undefined;
}

/** Starts a balancer on a free port of 127.0.0.1 before backends whose ids are their names. */
export async function startBalancer(
  backends: NamedBackends,
  options: LoadBalancerOptions = {},
): Promise<RunningBalancer> {
  const balancer = new LoadBalancer({
    listen: '127.0.0.1:0',
    backends: Object.entries(backends).map(([id, { url }]) => ({ id, url })),
    // A check is a connection, too: who counts those of clients wants no others.
    health: { check: 'off' },
    ...options,
  });
  const rejections: RejectedUpgrade[] = [];
  const exceptions: unknown[] = [];
  balancer.on('rejected', (rejected) => rejections.push(rejected));
  balancer.on('exception', (error) => exceptions.push(error));
  onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
  const [address] = await balancer.start();
  const { port } = address!;
  return {
    balancer,
    port,
    rejections,
    exceptions,
    visit: (given) => visit({ port, ...given }),
    handshake: async (given) => {
      const answer = await RawClient.handshake({ port, ...given });
      onTestFinished(() => answer.client?.destroy());
      return answer;
    },
  };
}

async function visit(options: RawClientOptions): Promise<Visit> {
  const client = await openClient(options);
  const backend = await client.nextText();
  const setCookie = client.answer.headerLines
    .filter((line) => /^set-cookie:/i.test(line))
    .map((line) => line.slice(line.indexOf(':') + 1).trim());
  return { client, backend, setCookie, cookie: setCookie[0]?.split(';', 1)[0] };
}
