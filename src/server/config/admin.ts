/** Owns the options of the admin side of a server. Refuses to listen. */
import { z } from 'zod';
import { isLoopback } from '../dial/advertised-address.js';
import { described } from './fields.js';
import { parseListenText } from './listen.js';

const LISTEN_ERROR = "expected a port, 'host:port' or '[v6]:port'";
const TOKEN_ERROR = 'expected a secret of at least 16 letters, digits or marks, without spaces';
const OPEN_ERROR =
  'expected a secret: without one only an address of this machine may be listened on, such as 127.0.0.1';

/** The admin API, for who runs a server. */
export const admin = described(
  z
    .strictObject({
      /** Where the admin API listens: a port (of this machine only), `host:port` or `[v6]:port`. Left out: there is none. */
      listen: described(
        z
          .union([z.int(), z.string()], { error: LISTEN_ERROR })
          .transform((value, context): string => {
            const { host = '127.0.0.1', port = undefined } = parseListenText(String(value)) ?? {};
            if (port !== undefined) return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
            context.addIssue({ code: 'custom', message: LISTEN_ERROR, input: value });
            return z.NEVER;
          })
          .optional(),
        'text',
        {
          description:
            'Where the admin API listens: a port (of this machine only), `host:port` or `[v6]:port`. Left out: there is none.',
          flag: 'admin',
          placeholder: '<host:port>',
        },
      ),
      /** What has to be shown to the admin API (`Authorization: Bearer …`), at least 16 characters. Left out: nothing, which only an address of this machine may do. */
      token: described(
        z
          .string({ error: TOKEN_ERROR })
          .regex(/^[\x21-\x7e]{16,}$/, { error: TOKEN_ERROR })
          .optional(),
        'text',
        {
          description:
            'What has to be shown to the admin API (`Authorization: Bearer …`), at least 16 characters. Left out: nothing, which only an address of this machine may do.',
          placeholder: '<secret>',
        },
      ),
    })
    .superRefine(({ listen, token }, context) => {
      if (listen === undefined || token !== undefined) return;
      // One that is wrong comes here as it was given, and is told of itself.
      const host = parseListenText(String(listen))?.host;
      if (host !== undefined && !isLoopback(host))
        context.addIssue({ code: 'custom', message: OPEN_ERROR, path: ['token'] });
    })
    .prefault({}),
  'group',
  { description: 'The admin API and the dashboard, for who runs the server.' },
);

/** Where the admin API is, and what it wants to be shown, after validation. */
export type AdminConfig = z.output<typeof admin>;
