/** Owns the options that name backends. Refuses to reach them. */
import { z } from 'zod';
import { BACKEND_ID, BACKEND_ID_ERROR } from '../../../protocol/control/message-fields.js';
import { describeError } from '../../../receivers/errors.js';
import { parseTarget } from '../../dial/target.js';
import { described } from '../fields.js';

const URL_ERROR =
  'expected the address of a backend: ws://host:port/path, wss://…, tcp://host:port, tls://host:port or unix:/path';
const WEIGHT_ERROR = 'expected a number above 0, at most 1000';
const CAPACITY_ERROR = 'expected a whole number from 0 to 1000000000';

/** The address of a backend. */
export const backendUrl = z.string({ error: URL_ERROR }).superRefine((value, context) => {
  try {
    parseTarget(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: `${URL_ERROR} (${describeError(error)})`, input: value });
  }
});

/** One backend, as an object. */
export const backendObject = z.strictObject({
  /** Where clients are relayed to. */
  url: backendUrl.meta({ description: 'Where clients are relayed to.' }),
  /** What tells it from others. Left out: its url. */
  id: z
    .string({ error: BACKEND_ID_ERROR })
    .optional()
    .meta({ description: 'What tells it from others. Left out: its url.' }),
  /** Where clients reach it themselves, best first; handed out in redirect mode. Left out: its url. */
  bindings: z.array(backendUrl, { error: 'expected a list of URLs' }).default([]).meta({
    description: 'Where clients reach it themselves, best first; handed out in redirect mode. Left out: its url.',
  }),
  /** Its share compared to others. */
  weight: z
    .number({ error: WEIGHT_ERROR })
    .gt(0, { error: WEIGHT_ERROR })
    .max(1000, { error: WEIGHT_ERROR })
    .default(1)
    .meta({ description: 'Its share compared to others.' }),
  /** How many connections it takes. 0 = any number. */
  capacity: z
    .int({ error: CAPACITY_ERROR })
    .min(0, { error: CAPACITY_ERROR })
    .max(1_000_000_000, { error: CAPACITY_ERROR })
    .default(0)
    .meta({ description: 'How many connections it takes. 0 = any number.' }),
  /** Words for policies of your own. */
  tags: z
    .array(z.string({ error: 'expected text' }), { error: 'expected a list of words' })
    .default([])
    .meta({ description: 'Words for policies of your own.' }),
});

/** One backend after validation. */
export type BackendConfig = Omit<z.output<typeof backendObject>, 'id'> & { id: string };

/** One backend as it may be given. */
export type BackendInput = string | z.input<typeof backendObject>;

/** One backend: its address, or an object. */
export const backend = z
  .union([backendUrl, backendObject], { error: URL_ERROR })
  .transform((value, context): BackendConfig => {
    const isText = typeof value === 'string';
    const { href } = parseTarget(isText ? value : value.url);
    if (isText) return { url: value, id: href, bindings: [], weight: 1, capacity: 0, tags: [] };
    const { id = href } = value;
    // Its url is what it has when none is given: what was resolved stays as it is.
    if (id === href || BACKEND_ID.test(id)) return { ...value, id };
    context.addIssue({ code: 'custom', message: `${BACKEND_ID_ERROR}, or its url`, input: id, path: ['id'] });
    return z.NEVER;
  });

/** What of a backend may be changed while it is one; what is left out stays. */
export const backendPatch = z
  .strictObject({
    url: backendUrl,
    bindings: backendObject.shape.bindings.unwrap(),
    weight: backendObject.shape.weight.unwrap(),
    capacity: backendObject.shape.capacity.unwrap(),
    tags: backendObject.shape.tags.unwrap(),
  })
  .partial();

/** What of a backend is to be otherwise. */
export type BackendPatch = z.output<typeof backendPatch>;

/** The option `backends`. */
export const backends = described(
  z
    .array(backend, { error: 'expected a list of backends' })
    .default([])
    .superRefine((all, context) => {
      const seen = new Set<string>();
      for (const [index, { id }] of all.entries()) {
        if (seen.has(id)) {
          const message = 'expected a backend with an id of its own; another one has it already';
          context.addIssue({ code: 'custom', message, input: id, path: [index] });
        }
        seen.add(id);
      }
    }),
  'list',
  {
    description:
      'The backends that are known from the start: addresses, or objects with `url` and perhaps `id`, `weight`, `capacity`, `tags` and `bindings`. Others may register themselves.',
    flag: 'backend',
    placeholder: '<url>',
    defaultText: 'none',
  },
);
