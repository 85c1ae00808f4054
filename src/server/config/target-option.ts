/** Owns the options that name a target and the subprotocols spoken with it. Refuses to know how a target is dialled. */
import { z } from 'zod';
import { describeError } from '../../receivers/errors.js';
import { parseTarget } from '../dial/target.js';
import { described } from './fields.js';

const EXPECTED = 'expected ws://host:port/path, wss://…, tcp://host:port, tls://host:port or unix:/path';

// The line that reports a problem names the value already.
function advice(message: string): string {
  const [, own] = /cannot be used: (.*)$/s.exec(message) ?? [];
  return own?.startsWith('write ') === false ? `${EXPECTED}; ${own}` : EXPECTED;
}

const text = z.string({ error: EXPECTED }).superRefine((value, context) => {
  try {
    parseTarget(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: advice(describeError(error)), input: value });
  }
});

const META = {
  description:
    'Where connections go: `ws://host:port/path`, `wss://…`, `tcp://host:port`, `tls://host:port` or `unix:/path`.',
  placeholder: '<url>',
};

/** The option `target`. A proxy without one needs a receiver that answers with a target. */
export const target = described(text.optional(), 'text', {
  ...META,
  defaultText: 'none; required on the command line and in a file',
});

/** The same where no code can answer with a target: on the command line and in a file. */
export const requiredTarget = described(text, 'text', { ...META, defaultText: 'none; required' });

// RFC 6455 section 4.1: a subprotocol is a token of RFC 9110 section 5.6.2.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TOKEN_ERROR = "expected the name of a subprotocol: letters, digits and !#$%&'*+-.^_`|~";

/** The option `subprotocols`. */
export const subprotocols = described(
  z
    .array(z.string({ error: TOKEN_ERROR }).regex(TOKEN, { error: TOKEN_ERROR }), {
      error: 'expected a list of names of subprotocols',
    })
    .optional(),
  'list',
  {
    description: 'The subprotocols that may be chosen. Left out: any that the client offers.',
    flag: 'subprotocol',
    placeholder: '<name>',
  },
);
