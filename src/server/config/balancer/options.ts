/** Owns every option of a load balancer: those of a proxy without its target, and those about backends. */
import { z } from 'zod';
import { TidegateError } from '../../../receivers/errors.js';
import { type ProxyConfig, proxyOptionsSchema } from '../options.js';
import { findProblems, formatProblem } from '../problems.js';
import { backends } from './backends.js';
import { control } from './control.js';
import { discovery } from './discovery.js';
import { drain } from './drain.js';
import { health } from './health.js';
import { http, mode, redirect } from './planes.js';
import { affinity, failover, hashBy, policy, queue, retryAfter, slowStart } from './selection.js';

const { target: _target, warmConnections: _warm, ...shared } = proxyOptionsSchema.shape;

const schema = z.strictObject({
  /** The backends that are known from the start: addresses, or objects with `url` and perhaps `id`, `weight`, `capacity`, `tags` and `bindings`. Others may register themselves. */
  backends,
  /** Backends that are found by name. */
  discovery,
  /** Which of the available backends gets the next client. */
  policy,
  /** What the policy `hash` hashes: `address`, `header:NAME`, `query:NAME` or `cookie:NAME`. Clients without it are spread at random. */
  hashBy,
  /** How a client gets back to the backend it had. */
  affinity,
  /** How long a backend that became ready gets less than its share, growing from a tenth of its weight. 0 = its share at once. */
  slowStart,
  /** What happens to clients while every backend is full. */
  queue,
  /** When a client that was refused for want of a backend is told to come back (`Retry-After`). */
  retryAfter,
  /** What happens when a backend cannot be reached. */
  failover,
  /** How it is found out that a backend is not well. */
  health,
  /** What becomes of the clients of a backend that goes: `keep` leaves them, `drain` sends them away at a pace, `close` sends them all away at once. They are told 1012, with the time after which to come back. */
  drain,
  /** How backends register themselves. */
  control,
  /** What WebSocket clients get: `relay` carries them to a backend, `redirect` tells them the address of one, `off` refuses them. */
  mode,
  /** How clients are told where to go. */
  redirect,
  /** What is done for plain HTTP requests. */
  http,
  ...shared,
});

/** What all backends of a balancer speak: what the first one does. */
export function speechOf({
  backends: [first],
  discovery: { names },
}: Pick<z.output<typeof schema>, 'backends' | 'discovery'>): 'websocket' | 'bytes' {
  const url = first?.url ?? names[0];
  return url === undefined || isWebSocket(url) ? 'websocket' : 'bytes';
}

function isWebSocket(url: string): boolean {
  return /^(?:srv\+)?wss?:/i.test(url);
}

/** Finds options that cannot stand together. For every schema that holds those of a balancer. */
export function refuseBalancerContradictions(
  {
    backends: all,
    discovery: found,
    affinity: { by },
    health: { check },
    drain: { minDelay, maxDelay },
    connectUpstream,
  }: Pick<z.output<typeof schema>, 'backends' | 'discovery' | 'affinity' | 'health' | 'drain' | 'connectUpstream'>,
  context: z.RefinementCtx,
): void {
  const speaks = speechOf({ backends: all, discovery: found });
  const refuseOdd = (urls: readonly string[], path: string[]): void => {
    const odd = urls.findIndex((url) => isWebSocket(url) !== (speaks === 'websocket'));
    if (odd === -1) return;
    const message = 'expected one that speaks what the first one speaks: all ws: and wss:, or all tcp:, tls: and unix:';
    context.addIssue({ code: 'custom', message, input: urls[odd], path: [...path, odd] });
  };
  refuseOdd(
    all.map(({ url }) => url),
    ['backends'],
  );
  refuseOdd(found.names, ['discovery', 'names']);
  if (speaks === 'bytes' && (check === 'http' || check === 'websocket')) {
    const message = "expected 'tcp' or 'off' beside backends that are tcp:, tls: or unix:";
    context.addIssue({ code: 'custom', message, input: check, path: ['health', 'check'] });
  }
  if (minDelay > maxDelay) {
    const message = `expected at most drain.maxDelay, which is ${maxDelay} ms`;
    context.addIssue({ code: 'custom', message, input: minDelay, path: ['drain', 'minDelay'] });
  }
  if (by === 'cookie' && connectUpstream === 'after-accept') {
    const message = "expected 'before-accept' beside affinity by cookie, which is set when the backend is known";
    context.addIssue({ code: 'custom', message, input: connectUpstream, path: ['connectUpstream'] });
  }
}

/** Every option of a balancer that a file, a flag or code can give. */
export const balancerOptionsSchema = schema.superRefine(refuseBalancerContradictions);

/** The options of a balancer after validation. */
export type BalancerConfig = z.output<typeof balancerOptionsSchema> & Pick<ProxyConfig, 'target' | 'warmConnections'>;

/** The options of a balancer as they are given; every one may be left out. */
export type BalancerConfigInput = z.input<typeof balancerOptionsSchema>;

/**
 * Validates the options of a balancer and fills in the defaults.
 *
 * @param libraryOptions names that code may give beside the schema; they are left out of the result.
 * @throws TidegateError `INVALID_OPTION` that names every wrong option, the value it got and what would be right.
 */
export function resolveBalancerOptions(input: unknown, libraryOptions: readonly string[] = []): BalancerConfig {
  const { value, problems } = findProblems(balancerOptionsSchema, input, { ignore: libraryOptions });
  if (value !== undefined) return { ...value, target: undefined, warmConnections: 0 };
  throw new TidegateError('INVALID_OPTION', problems.map((problem) => formatProblem(problem)).join('\n'));
}
