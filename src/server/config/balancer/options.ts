/** Owns every option of a load balancer: those of a proxy without its target, and those about backends. */
import { z } from 'zod';
import { TidegateError } from '../../../receivers/errors.js';
import { type ProxyConfig, proxyOptionsSchema } from '../options.js';
import { findProblems, formatProblem } from '../problems.js';
import { backends } from './backends.js';
import { refuseBalancerContradictions } from './contradictions.js';
import { control } from './control.js';
import { discovery } from './discovery.js';
import { drain } from './drain.js';
import { health } from './health.js';
import { http, mode, redirect } from './planes.js';
import { affinity, failover, hashBy, policy, queue, retryAfter, slowStart } from './selection.js';

const { target: _target, warmConnections: _warm, register: _register, ...shared } = proxyOptionsSchema.shape;

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
  /** How long a backend that became ready, or well again, gets less than its share, growing from a tenth of its weight. 0 = its share at once. */
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

/** Every option of a balancer that a file, a flag or code can give. */
export const balancerOptionsSchema = schema.superRefine(refuseBalancerContradictions);

/** The options of a balancer after validation. */
export type BalancerConfig = z.output<typeof balancerOptionsSchema> &
  Pick<ProxyConfig, 'target' | 'warmConnections' | 'register'>;

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
  if (value !== undefined) return { ...value, target: undefined, warmConnections: 0, register: undefined };
  throw new TidegateError('INVALID_OPTION', problems.map((problem) => formatProblem(problem)).join('\n'));
}
