/** Owns the options that say which backend a client gets, and what happens when there is none. Refuses to choose. */
import { z } from 'zod';
import { POLICY_NAMES } from '../../../actors/selection/create-policy.js';
import { choice, count, described, duration, fraction } from '../fields.js';

/** The option `policy`. */
export const policy = choice(POLICY_NAMES, {
  description: 'Which of the available backends gets the next client.',
});

const KEY_ERROR = "expected 'address', 'header:NAME', 'query:NAME' or 'cookie:NAME'";
const NAME_ERROR = "expected the name of a cookie: letters, digits or one of !#$%&'*+-.^_`|~";
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const SECRET_ERROR = 'expected a secret of at least 16 characters';
const KEY = /^(?:address|(?:header|query|cookie):[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$/;

/** The option `hashBy`. */
export const hashBy = described(
  z.string({ error: KEY_ERROR }).regex(KEY, { error: KEY_ERROR }).default('address'),
  'text',
  {
    description:
      'What the policy `hash` hashes: `address`, `header:NAME`, `query:NAME` or `cookie:NAME`. Clients without it are spread at random.',
    placeholder: '<key>',
  },
);

/** How a client gets back to the backend it had. */
export const affinity = described(
  z
    .strictObject({
      /** By what a client is known again: `none`, a `cookie` that the balancer sets, or `address`, `header:NAME`, `query:NAME`. */
      by: described(
        z
          .string({ error: `${KEY_ERROR}, 'cookie' or 'none'` })
          .regex(/^(?:none|cookie|address|(?:header|query|cookie):[!#$%&'*+\-.^_`|~0-9A-Za-z]+)$/, {
            error: `${KEY_ERROR}, 'cookie' or 'none'`,
          })
          .default('none'),
        'text',
        {
          description:
            'By what a client is known again: `none`, a `cookie` that the balancer sets, or `address`, `header:NAME`, `query:NAME`.',
          flag: 'affinity',
          placeholder: '<key>',
        },
      ),
      /** The name of the cookie. */
      cookieName: described(
        z.string({ error: NAME_ERROR }).regex(NAME, { error: NAME_ERROR }).default('tidegate'),
        'text',
        { description: 'The name of the cookie.', flag: 'affinity-cookie' },
      ),
      /** What the cookie is signed with, so that nobody can choose a backend. Left out: a random one, which a restart and another balancer do not know. */
      secret: described(z.string({ error: SECRET_ERROR }).min(16, { error: SECRET_ERROR }).optional(), 'text', {
        description:
          'What the cookie is signed with, so that nobody can choose a backend. Left out: a random one, which a restart and another balancer do not know.',
        flag: 'affinity-secret',
      }),
      /** How long a cookie, or what is remembered, lasts. 0 = a cookie of the session. */
      maxAge: duration({
        description: 'How long a cookie, or what is remembered, lasts. 0 = a cookie of the session.',
        default: 0,
        flag: 'affinity-max-age',
      }),
      /** What happens when that backend cannot be had: `other` picks another one and remembers that, `refuse` answers 503. */
      whenGone: choice(['other', 'refuse'], {
        description:
          'What happens when that backend cannot be had: `other` picks another one and remembers that, `refuse` answers 503.',
        flag: 'affinity-when-gone',
      }),
    })
    .prefault({}),
  'group',
  { description: 'How a client gets back to the backend it had.' },
);

/** The option `slowStart`. */
export const slowStart = duration({
  description:
    'How long a backend that became ready, or well again, gets less than its share, growing from a tenth of its weight. 0 = its share at once.',
  default: 0,
});

/** What happens to clients while every backend is full. */
export const queue = described(
  z
    .strictObject({
      /** How many clients may wait for room on a backend. 0 = none: they are refused with 503 at once. */
      max: count({
        description: 'How many clients may wait for room on a backend. 0 = none: they are refused with 503 at once.',
        default: 0,
        flag: 'queue',
      }),
      /** How long a client waits for room before it is refused with 503. */
      timeout: duration({
        description: 'How long a client waits for room before it is refused with 503.',
        default: '5s',
        min: 1,
        flag: 'queue-timeout',
      }),
    })
    .prefault({}),
  'group',
  { description: 'What happens to clients while every backend is full.' },
);

/** The option `retryAfter`. */
export const retryAfter = duration({
  description: 'When a client that was refused for want of a backend is told to come back (`Retry-After`).',
  default: '5s',
  min: 1000,
});

/** What happens when a backend cannot be reached. */
export const failover = described(
  z
    .strictObject({
      /** How many backends are tried for one client before it is refused, within `timeouts.dial` altogether. */
      attempts: count({
        description:
          'How many backends are tried for one client before it is refused, within `timeouts.dial` altogether.',
        default: 3,
        min: 1,
        max: 100,
        flag: 'failover-attempts',
      }),
      /** How long one backend may take to answer before the next one is tried; while there is no other one it is waited for. 0 = as long as there is. */
      attemptTimeout: duration({
        description:
          'How long one backend may take to answer before the next one is tried; while there is no other one it is waited for. 0 = as long as there is.',
        default: '3s',
        flag: 'failover-attempt-timeout',
      }),
      /** How many further attempts there may be for each new client, on average: in a large outage retries would be a storm of their own. */
      budget: fraction({
        description:
          'How many further attempts there may be for each new client, on average: in a large outage retries would be a storm of their own.',
        default: 0.2,
        flag: 'failover-budget',
      }),
    })
    .prefault({}),
  'group',
  { description: 'What happens when a backend cannot be reached.' },
);
