/** Owns the shape of a configuration file: lists of proxies and balancers, and how to log. Refuses to read one. */
import { z } from 'zod';
import { admin } from './admin.js';
import { authenticationWithoutHooks } from './authentication.js';
import { refuseBalancerContradictions } from './balancer/contradictions.js';
import { balancerOptionsSchema } from './balancer/options.js';
import { described, optionalText } from './fields.js';
import { formatListen, type ListenConfig } from './listen.js';
import { logSchema } from './log.js';
import { proxyOptionsSchema, refuseContradictions } from './options.js';
import { requiredTarget } from './target-option.js';

/** The options of an admin API that is of several servers, on the command line. */
export const adminSchema = z.strictObject({ admin });

/** The options of a proxy where no code can choose the target. */
export const cliProxySchema = z
  .strictObject({
    ...proxyOptionsSchema.shape,
    target: requiredTarget,
    authentication: authenticationWithoutHooks,
  })
  .superRefine(refuseContradictions);

/** The options of a balancer where no code can add a backend. */
export const cliBalancerSchema = z
  .strictObject({ ...balancerOptionsSchema.shape, authentication: authenticationWithoutHooks })
  .superRefine(refuseBalancerContradictions)
  .superRefine((balancer, context) => refuseNoSource(balancer, context));

const NO_SOURCE =
  'expected at least one backend, or a way to get some: `discovery.names`, `control.path` or a listener with `role: control` for those that register themselves, or `admin.listen` for those that are added by hand';

function refuseNoSource(
  {
    backends,
    discovery,
    control,
    admin,
    listen,
  }: Pick<z.output<typeof balancerOptionsSchema>, 'backends' | 'discovery' | 'control' | 'admin' | 'listen'>,
  context: z.RefinementCtx,
  steps: readonly PropertyKey[] = [],
): void {
  // A `listen` that is wrong comes here as the file has it.
  const isRegistering = control.path !== undefined || !Array.isArray(listen) || listen.some(isForControl);
  if (backends.length > 0 || discovery.names.length > 0 || isRegistering || admin.listen !== undefined) return;
  context.addIssue({ code: 'custom', message: NO_SOURCE, input: undefined, path: [...steps, 'backends'] });
}

function isForControl(one: ListenConfig): boolean {
  return typeof one === 'object' && one.role === 'control';
}

const nameOf = (list: string) =>
  described(optionalText({ description: 'A name for the log.', flag: false }), 'text', {
    description: 'A name for the log.',
    flag: false,
    defaultText: `its position, such as \`${list}[0]\``,
  });

/** One entry of `proxies` in a file. */
const proxyEntrySchema = z
  .strictObject({
    /** A name for the log. */
    name: nameOf('proxies'),
    ...cliProxySchema.shape,
  })
  .superRefine(refuseContradictions);

/** One entry of `balancers` in a file. */
const balancerEntrySchema = z
  .strictObject({
    /** A name for the log. */
    name: nameOf('balancers'),
    ...cliBalancerSchema.shape,
  })
  .superRefine(refuseBalancerContradictions);

/** One proxy of a file, after validation. */
export type ProxyEntry = z.output<typeof proxyEntrySchema>;

/** One balancer of a file, after validation. */
export type BalancerEntry = z.output<typeof balancerEntrySchema>;

const PROXIES = 'expected a list of proxies, such as `proxies: [{ listen: 8080, target: "tcp://127.0.0.1:5900" }]`';
const BALANCERS =
  'expected a list of balancers, such as `balancers: [{ listen: 8080, backends: ["ws://10.0.0.1:3000"] }]`';

const schema = z.strictObject({
  /** The proxies to run, each with its own options. */
  proxies: described(z.array(proxyEntrySchema, { error: PROXIES }).min(1, { error: PROXIES }).optional(), 'group', {
    description: 'The proxies to run, each with its own options.',
  }),
  /** The load balancers to run, each with its own options. */
  balancers: described(
    z.array(balancerEntrySchema, { error: BALANCERS }).min(1, { error: BALANCERS }).optional(),
    'group',
    { description: 'The load balancers to run, each with its own options.' },
  ),
  /** The admin API and the dashboard of all servers of the file together. One that has an `admin` of its own has that, too. */
  admin: described(admin, 'group', {
    description:
      'The admin API and the dashboard of all servers of the file together. One that has an `admin` of its own has that, too.',
    flag: false,
  }),
  /** How to log. */
  log: described(logSchema.prefault({}), 'group', { description: 'How to log.' }),
});

/** A whole configuration file. */
export const configFileSchema = schema
  .superRefine(({ proxies, balancers }, context) => {
    if (proxies !== undefined || balancers !== undefined) return;
    context.addIssue({ code: 'custom', message: `${PROXIES}, or a list of \`balancers\``, path: ['proxies'] });
  })
  .superRefine(refuseTwice)
  .superRefine(refuseNoSources)
  .transform(({ proxies = [], balancers = [], admin, log }) => ({ proxies, balancers, admin, log }));

/** Through the admin API of the whole file, backends are added to each of its balancers. */
function refuseNoSources({ balancers = [], admin }: Lists, context: z.RefinementCtx): void {
  if (admin.listen !== undefined) return;
  for (const [index, balancer] of balancers.entries()) refuseNoSource(balancer, context, ['balancers', index]);
}

type Lists = Pick<z.output<typeof schema>, 'proxies' | 'balancers' | 'admin'>;
type Claim = readonly [value: string, ...steps: string[]];

/** A name and an address belong to one server of a file. */
function refuseTwice(lists: Lists, context: z.RefinementCtx): void {
  const owners = new Map(adminClaims(lists).map(([value]) => [`address ${value}`, 'admin']));
  for (const list of ['proxies', 'balancers'] as const) {
    for (const [index, entry] of (lists[list] ?? []).entries()) {
      for (const [value, ...steps] of [...nameClaim(entry), ...addressClaims(entry)]) {
        const claim = `${steps[0] === 'name' ? 'name' : 'address'} ${value}`;
        const owner = owners.get(claim);
        owners.set(claim, owner ?? `${list}[${index}]`);
        if (owner === undefined) continue;
        const message = `expected one that nothing else in the file has; ${owner} has ${value} already`;
        context.addIssue({ code: 'custom', message, input: value, path: [list, index, ...steps] });
      }
    }
  }
}

function nameClaim({ name }: ProxyEntry | BalancerEntry): Claim[] {
  return name === undefined ? [] : [[name, 'name']];
}

// Port 0 is another port each time. A `listen` that is wrong comes here as the file has it.
function addressClaims(entry: ProxyEntry | BalancerEntry): Claim[] {
  const own = Array.isArray(entry.listen) ? entry.listen : [];
  const claims = own
    .filter((one) => typeof one === 'object' && one.port !== 0)
    .map((one): Claim => [formatListen(one), 'listen']);
  return [...claims, ...adminClaims(entry)];
}

function adminClaims({ admin }: Pick<z.output<typeof schema>, 'admin'>): Claim[] {
  // One that is wrong comes here as the file has it.
  const listen: unknown = admin?.listen;
  return typeof listen === 'string' && !listen.endsWith(':0') ? [[listen, 'admin', 'listen']] : [];
}

/** A configuration file after validation. */
export type ConfigFile = z.output<typeof configFileSchema>;

/** The JSON Schema (2020-12) of a configuration file, for editors: `tidegate schema > tidegate.schema.json`. */
export function jsonSchema(): object {
  const schema = z.toJSONSchema(configFileSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // What flags and the reference need is no keyword of JSON Schema.
      delete jsonSchema.option;
    },
  });
  return { ...schema, anyOf: [{ required: ['proxies'] }, { required: ['balancers'] }] };
}
