/** Owns the shape of a configuration file: a list of proxies, and how to log. Refuses to read one. */
import { z } from 'zod';
import { authenticationWithoutHooks } from './authentication.js';
import { choice, described, optionalText } from './fields.js';
import { formatListen } from './listen.js';
import { proxyOptionsSchema, refuseContradictions } from './options.js';
import { requiredTarget } from './target-option.js';

/** The options of the log, the same in a file and on the command line. */
export const logSchema = z.strictObject({
  /** `text` is for people, `json` writes one object a line. */
  format: choice(['text', 'json'], {
    description: '`text` is for people, `json` writes one object a line.',
    flag: 'log-format',
  }),
  /** The least important lines that are written. */
  level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    description: 'The least important lines that are written.',
    default: 'info',
    flag: 'log-level',
  }),
});

/** How to log, after validation. */
export type LogConfig = z.output<typeof logSchema>;

/** The options of a proxy where no code can choose the target. */
export const cliProxySchema = z
  .strictObject({
    ...proxyOptionsSchema.shape,
    target: requiredTarget,
    authentication: authenticationWithoutHooks,
  })
  .superRefine(refuseContradictions);

/** One entry of `proxies` in a file. */
const proxyEntrySchema = z
  .strictObject({
    /** A name for the log. */
    name: described(optionalText({ description: 'A name for the log.', flag: false }), 'text', {
      description: 'A name for the log.',
      flag: false,
      defaultText: 'its position, such as `proxies[0]`',
    }),
    ...cliProxySchema.shape,
  })
  .superRefine(refuseContradictions);

/** One proxy of a file, after validation. */
export type ProxyEntry = z.output<typeof proxyEntrySchema>;

const PROXIES = 'expected a list of proxies, such as `proxies: [{ listen: 8080, target: "tcp://127.0.0.1:5900" }]`';

/** A whole configuration file. */
export const configFileSchema = z.strictObject({
  /** The proxies to run, each with its own options. */
  proxies: described(
    z
      .array(proxyEntrySchema, { error: PROXIES })
      .min(1, { error: PROXIES })
      .superRefine((proxies, context) => {
        refuseTwice(proxies, (proxy) => (proxy.name === undefined ? [] : [proxy.name]), 'name', context);
        // Port 0 is another port each time. A `listen` that is wrong comes here as the file has it.
        const addresses = ({ listen }: ProxyEntry) =>
          Array.isArray(listen)
            ? listen.filter((one) => typeof one === 'object' && one.port !== 0).map(formatListen)
            : [];
        refuseTwice(proxies, addresses, 'listen', context);
      }),
    'group',
    { description: 'The proxies to run, each with its own options.' },
  ),
  /** How to log. */
  log: described(logSchema.prefault({}), 'group', { description: 'How to log.' }),
});

function refuseTwice(
  proxies: readonly ProxyEntry[],
  valuesOf: (proxy: ProxyEntry) => readonly string[],
  option: string,
  context: z.RefinementCtx,
): void {
  const owners = new Map<string, number>();
  for (const [index, proxy] of proxies.entries()) {
    for (const value of valuesOf(proxy)) {
      const owner = owners.get(value);
      owners.set(value, owner ?? index);
      if (owner === undefined) continue;
      const message = `expected one that no other proxy has; proxies[${owner}] has ${value} already`;
      context.addIssue({ code: 'custom', message, input: value, path: [index, option] });
    }
  }
}

/** A configuration file after validation. */
export type ConfigFile = z.output<typeof configFileSchema>;

/** The JSON Schema (2020-12) of a configuration file, for editors: `tidegate schema > tidegate.schema.json`. */
export function jsonSchema(): object {
  return z.toJSONSchema(configFileSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // What flags and the reference need is no keyword of JSON Schema.
      delete jsonSchema.option;
    },
  });
}
