/** Owns the options that say whose pages may connect. Refuses to judge an origin. */
import { z } from 'zod';
import { describeError } from '../../receivers/errors.js';
import { parseOriginPattern } from '../authentication/origins.js';
import { described } from './fields.js';

const ERROR =
  "expected a list of origins: 'https://host', with ':*' for any port or '*.' before the host, '/…/' for a regular expression, 'same-origin', 'null' or '*'";

const text = z.string({ error: ERROR }).superRefine((value, context) => {
  try {
    parseOriginPattern(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: `${ERROR} (${describeError(error)})`, input: value });
  }
});

// Code may give a RegExp; from here on it is the text that a file would hold.
const pattern = z.preprocess(
  (value) => (value instanceof RegExp ? String(value) : value),
  text,
) as unknown as z.ZodType<string, string | RegExp>;

/** The option `origins`. */
export const origins = described(z.array(pattern, { error: ERROR }).optional(), 'list', {
  description:
    'The origins of the pages that may connect: `https://host`, with `:*` for any port or `*.` before the host, `/…/` for a regular expression, `same-origin`, `null` or `*`. Left out: the own origin where browsers add credentials by themselves (cookie, Basic, client certificate, an unknown scheme), else any.',
  flag: 'origin',
  placeholder: '<origin>',
  defaultText: 'depends on the credentials',
});
