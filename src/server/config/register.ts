/** Owns the options by which a server registers itself as a backend of balancers. Refuses to connect to one. */
import { z } from 'zod';
import { BACKEND_ID, BACKEND_ID_ERROR } from '../../protocol/control/message-fields.js';
import { problemOfAdvertised } from '../dial/advertised-address.js';
import { described, duration, flag, optionalCount } from './fields.js';
import { upstreamTls } from './upstream-tls.js';

const BALANCER_ERROR =
  'expected the control address of a balancer, such as wss://balancer.example.org/.tidegate/control, or a list of those';
const TOKEN_ERROR = 'expected a secret of at least 16 characters';
const ADVERTISE_ERROR = "expected 'auto', an address such as ws://10.0.0.7:9000, or a list of at most 16 addresses";
const ADDRESSES_ERROR =
  'expected an address by which others reach the backend, such as ws://10.0.0.7:9000, or at most 16 of them';
const WEIGHT_ERROR = 'expected a number above 0, at most 1000';
const TAGS_ERROR = 'expected a list of at most 64 words of 1 to 128 characters';

const balancerUrl = z.string({ error: BALANCER_ERROR }).superRefine((value, context) => {
  const url = /^wss?:\/\/[^\s/]/i.test(value) && URL.canParse(value) ? new URL(value) : undefined;
  if (url !== undefined && url.username === '' && url.password === '' && url.hash === '') return;
  context.addIssue({ code: 'custom', message: BALANCER_ERROR, input: value });
});

const address = z.string({ error: ADVERTISE_ERROR }).superRefine((value, context) => {
  const problem = value === 'auto' ? undefined : problemOfAdvertised(value);
  if (problem !== undefined)
    context.addIssue({ code: 'custom', message: `${ADVERTISE_ERROR} (${problem})`, input: value });
});

function oneOrMore<Schema extends z.ZodType<string, string>>(one: Schema, most: number, error: string) {
  return z.union([one, z.array(one, { error }).min(1, { error }).max(most, { error })], { error });
}

/** Where a backend says that it is reached: `auto` is where its own listeners are bound. */
export const advertise = oneOrMore(address, 16, ADVERTISE_ERROR).transform((value, context): 'auto' | string[] => {
  const all = [value].flat();
  if (!all.includes('auto')) return all;
  if (all.length === 1) return 'auto';
  context.addIssue({ code: 'custom', message: `${ADVERTISE_ERROR}; 'auto' stands alone`, input: value });
  return z.NEVER;
});

/** Where a backend is reached that has no listeners to be asked. */
export const advertised = z
  .union([z.string({ error: ADDRESSES_ERROR }), z.array(z.string({ error: ADDRESSES_ERROR }))], {
    error: ADDRESSES_ERROR,
  })
  .transform((value) => [value].flat())
  .superRefine((all, context) => {
    if (all.length < 1 || all.length > 16) context.addIssue({ code: 'custom', message: ADDRESSES_ERROR, input: all });
    for (const [index, one] of all.entries()) {
      const problem = problemOfAdvertised(one);
      if (problem === undefined) continue;
      context.addIssue({ code: 'custom', message: `${ADDRESSES_ERROR} (${problem})`, input: one, path: [index] });
    }
  });

const balancer = described(
  oneOrMore(balancerUrl, 64, BALANCER_ERROR).transform((value) => [value].flat()),
  'list',
  {
    description:
      'The control address of the balancer, or of each of several: `ws://host:port/path` or `wss://…`. A backend registers with all of them.',
    placeholder: '<url>',
    defaultText: 'none',
  },
);

const token = described(z.string({ error: TOKEN_ERROR }).min(16, { error: TOKEN_ERROR }).optional(), 'text', {
  description:
    'A secret that the balancer knows, too; neither of the two ever sends it. Left out: a client certificate has to do.',
  placeholder: '<secret>',
});

const id = described(
  z.string({ error: BACKEND_ID_ERROR }).regex(BACKEND_ID, { error: BACKEND_ID_ERROR }).optional(),
  'text',
  {
    description:
      'What tells the backend from others. With one that stays the same, a backend that starts again is the one that it was.',
    defaultText: 'host name, process id and random letters',
  },
);

const weight = described(
  z.number({ error: WEIGHT_ERROR }).gt(0, { error: WEIGHT_ERROR }).max(1000, { error: WEIGHT_ERROR }).optional(),
  'fraction',
  { description: 'Its share of the clients, compared to others.', placeholder: '<number>', defaultText: '1' },
);

const tags = described(
  z
    .array(z.string({ error: TAGS_ERROR }).min(1, { error: TAGS_ERROR }).max(128, { error: TAGS_ERROR }), {
      error: TAGS_ERROR,
    })
    .max(64, { error: TAGS_ERROR })
    .default([]),
  'list',
  { description: 'Words for policies of the balancer.', flag: 'tag', placeholder: '<word>', defaultText: 'none' },
);

/** Everything that a backend says of itself and how it reaches balancers, by name, but where it is reached. */
export const agentShape = {
  /** The control address of the balancer, or of each of several: `ws://host:port/path` or `wss://…`. A backend registers with all of them. */
  balancer,
  /** A secret that the balancer knows, too; neither of the two ever sends it. Left out: a client certificate has to do. */
  token,
  /** What tells the backend from others. With one that stays the same, a backend that starts again is the one that it was. */
  id,
  /** Its share of the clients, compared to others. */
  weight,
  /** How many connections it takes. 0 = any number. */
  capacity: optionalCount({ description: 'How many connections it takes. 0 = any number.', defaultText: '0' }),
  /** Words for policies of the balancer. */
  tags,
  /** Whether it may be picked as soon as it is registered; else when code says `agent.ready()`. */
  ready: flag({
    description: 'Whether it may be picked as soon as it is registered; else when code says `agent.ready()`.',
    default: true,
  }),
  /** When it comes back to a balancer that it lost. */
  reconnect: described(
    z
      .strictObject({
        /** The wait before the first attempt, about; each further one waits twice as long. 0 = it does not come back. */
        initial: duration({
          description:
            'The wait before the first attempt, about; each further one waits twice as long. 0 = it does not come back.',
          default: '500ms',
        }),
        /** The longest wait. */
        max: duration({ description: 'The longest wait.', default: '30s', min: 1 }),
      })
      .prefault({}),
    'group',
    { description: 'When it comes back to a balancer that it lost.' },
  ),
  /** How long a balancer may take to say what became of a message for the clients of a group, before it is reported as lost. */
  groupTimeout: duration({
    description:
      'How long a balancer may take to say what became of a message for the clients of a group, before it is reported as lost.',
    default: '5s',
    min: 10,
  }),
  /** TLS towards a `wss:` balancer, with the certificate that may stand for a token. */
  tls: described(upstreamTls, 'group', {
    description: 'TLS towards a `wss:` balancer, with the certificate that may stand for a token.',
  }),
};

/** How `advertise` is described. */
export const ADVERTISE = {
  description:
    'Where the balancer and clients reach it: addresses, best first, or `auto` for those where it listens, which have to be addresses that others reach, and not every interface.',
  placeholder: '<url>',
};

/** The options of a backend on its own, which has no listeners to be asked. */
export const agentOptionsSchema = z.strictObject({
  ...agentShape,
  /** Where the balancer and clients reach it: addresses, best first, or `auto` for those where it listens, which have to be addresses that others reach, and not every interface. */
  advertise: described(advertise, 'list', ADVERTISE),
});

/** How a server registers itself with balancers, as a backend of theirs. */
export const register = described(
  z
    .strictObject({
      ...agentShape,
      /** Where the balancer and clients reach it: addresses, best first, or `auto` for those where it listens, which have to be addresses that others reach, and not every interface. */
      advertise: described(advertise.default('auto'), 'list', { ...ADVERTISE, defaultText: 'auto' }),
    })
    .optional(),
  'group',
  {
    description: 'How a server registers itself with balancers, as a backend of theirs.',
    defaultText: 'it does not',
  },
);

/** What a backend is told to be, after validation. */
export type AgentConfig = z.output<typeof agentOptionsSchema>;

/** What a backend is told to be, as it is given. */
export type AgentConfigInput = z.input<typeof agentOptionsSchema>;
