/** Owns the options that say which targets a receiver may choose, and how targets are reached. Refuses to reach them. */
import { z } from 'zod';
import { PROXY_FORMS, parseDialProxy } from '../dial/dial-proxy.js';
import { parseTargetRule, TARGET_RULE_FORMS } from '../dial/target-rule.js';
import { choice, described } from './fields.js';

const RULE_ERROR = `expected ${TARGET_RULE_FORMS}`;
const rule = z
  .string({ error: RULE_ERROR })
  .refine((text) => parseTargetRule(text) !== undefined, { error: RULE_ERROR });
const LIST_ERROR = 'expected a list of targets';

/** Which targets a receiver may choose. */
export const targets = described(
  z
    .strictObject({
      /** The targets that a receiver may choose beside that of the option `target`: hosts, ranges of addresses, ports, schemes, socket files. Left out: all but what is denied, and addresses of one link, of a cloud's metadata, of this machine by other names and of everybody. */
      allow: described(z.array(rule, { error: LIST_ERROR }).optional(), 'list', {
        description:
          "The targets that a receiver may choose beside that of the option `target`: hosts, ranges of addresses, ports, schemes, socket files. Left out: all but what is denied, and addresses of one link, of a cloud's metadata, of this machine by other names and of everybody.",
        flag: false,
        defaultText: 'see the description',
      }),
      /** The targets that a receiver may not choose, in the same words. It wins over `allow`. */
      deny: described(z.array(rule, { error: LIST_ERROR }).default([]), 'list', {
        description: 'The targets that a receiver may not choose, in the same words. It wins over `allow`.',
        flag: false,
        defaultText: 'none',
      }),
    })
    .prefault({}),
  'group',
  { description: 'Which targets a receiver may choose with `accept({ target })`.' },
);

const PROXY_ERROR = `expected ${PROXY_FORMS}`;

/** The option `dialThrough`. */
export const dialThrough = described(
  z
    .string({ error: PROXY_ERROR })
    .superRefine((text, context) => {
      const proxy = parseDialProxy(text);
      if (!('fault' in proxy)) return;
      const message = proxy.fault.startsWith('write ') ? PROXY_ERROR : `${PROXY_ERROR}; ${proxy.fault}`;
      context.addIssue({ code: 'custom', message, input: text });
    })
    .optional(),
  'text',
  {
    description:
      'The proxy through which targets are dialled: `socks5://[user:password@]host[:port]`, `socks5h://…` when it is to resolve their names, `http://…` or `https://…` (CONNECT).',
    placeholder: '<url>',
  },
);

/** The option `dialDirect`. */
export const dialDirect = described(z.array(rule, { error: LIST_ERROR }).default([]), 'list', {
  description: 'Targets that are dialled straight in spite of `dialThrough`, in the words of `targets.allow`.',
  placeholder: '<target>',
  defaultText: 'none; may be repeated',
});

/** The option `sendProxyProtocol`. */
export const sendProxyProtocol = choice(['off', 'v1', 'v2'], {
  description:
    'Whether a target is told the address of the client by a PROXY protocol header, before TLS and before the WebSocket handshake: `v1` is a line of text, `v2` also tells what TLS says. The target has to expect it.',
});

/** The option `forwardedHeaders`. */
export const forwardedHeaders = choice(['x-forwarded', 'forwarded', 'both', 'off'], {
  description:
    'How a WebSocket target is told about the client: `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`, or `Forwarded` (RFC 7239). What the client itself sent of them is overwritten, unless it is a trusted proxy. With `off` it passes as it is, for the target to distrust.',
});

/** The option `hostHeader`. */
export const hostHeader = choice(['target', 'client'], {
  description: 'The `Host` that a WebSocket target is asked for: its own, or what the client asked for.',
});
