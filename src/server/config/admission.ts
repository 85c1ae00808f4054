/** Owns the options that say who may connect, how fast, and whom to believe. Refuses to hold anyone to them. */
import { z } from 'zod';
import { ADDRESS_EXPECTED, parseAddressRanges } from '../../protocol/address-set.js';
import { choice, count, described, duration, type OptionMeta } from './fields.js';

const LIST_ERROR = 'expected a list of IP addresses and ranges';

const address = z.string({ error: ADDRESS_EXPECTED }).superRefine((value, context) => {
  const ranges = parseAddressRanges(value);
  if ('fault' in ranges) context.addIssue({ code: 'custom', message: ranges.fault, input: value });
});

/** A list of addresses, ranges and words; it stays as it is written. */
function addresses(meta: OptionMeta & { readonly default?: readonly string[] }) {
  const list = z.array(address, { error: LIST_ERROR }).default([...(meta.default ?? [])]);
  return described(list, 'list', { placeholder: '<address>', ...meta });
}

const rate = described(
  z
    .strictObject({
      /** New connections a second from one address, or from one /64 network of IPv6; further ones get 429. 0 = unlimited. */
      perAddress: count({
        description:
          'New connections a second from one address, or from one /64 network of IPv6; further ones get 429. 0 = unlimited.',
        default: 200,
        flag: 'rate-per-address',
      }),
      /** New connections a second from all addresses together; further ones get 429. 0 = unlimited. */
      total: count({
        description: 'New connections a second from all addresses together; further ones get 429. 0 = unlimited.',
        default: 0,
        flag: 'rate-total',
      }),
      /** How much of a rate may come at once: with 200 a second and 10s, 2000 connections. */
      burst: duration({
        description: 'How much of a rate may come at once: with 200 a second and 10s, 2000 connections.',
        default: '10s',
        flag: 'rate-burst',
      }),
    })
    .prefault({}),
  'group',
  { description: 'How fast connections may come.' },
);

const bans = described(
  z
    .strictObject({
      /** The score at which an address is banned. A malformed handshake or frame adds 1, a wrong password 5, a flood 20. 0 = never. */
      threshold: count({
        description:
          'The score at which an address is banned. A malformed handshake or frame adds 1, a wrong password 5, a flood 20. 0 = never.',
        default: 100,
        flag: 'ban-threshold',
      }),
      /** How long a score takes to become half of what it was. */
      halfLife: duration({
        description: 'How long a score takes to become half of what it was.',
        default: '1m',
        min: 1,
        flag: 'ban-half-life',
      }),
      /** How long the first ban lasts; each further one lasts twice as long. */
      duration: duration({
        description: 'How long the first ban lasts; each further one lasts twice as long.',
        default: '1m',
        min: 1,
        flag: 'ban-duration',
      }),
      /** How long a ban lasts at most. */
      maxDuration: duration({
        description: 'How long a ban lasts at most.',
        default: '1h',
        min: 1,
        flag: 'ban-max-duration',
      }),
      /** How long after its end a ban makes the next one longer. */
      memory: duration({
        description: 'How long after its end a ban makes the next one longer.',
        default: '1d',
        flag: 'ban-memory',
      }),
    })
    .prefault({}),
  'group',
  { description: 'Addresses that fail authentication or flood are kept out for a while.' },
);

/** Who may connect. */
export const admission = described(
  z
    .strictObject({
      /** The addresses and ranges that may connect, such as `192.0.2.0/24` or `2001:db8::/32`; also `loopback`, `private`, `shared`, `link-local`, `all`. Empty: everyone. */
      allow: addresses({
        description:
          'The addresses and ranges that may connect, such as `192.0.2.0/24` or `2001:db8::/32`; also `loopback`, `private`, `shared`, `link-local`, `all`. Empty: everyone.',
        flag: 'allow',
        defaultText: 'everyone; may be repeated',
      }),
      /** The addresses and ranges that may not, though `allow` has them. Their connections are cut without an answer. */
      deny: addresses({
        description:
          'The addresses and ranges that may not, though `allow` has them. Their connections are cut without an answer.',
        flag: 'deny',
        defaultText: 'nobody; may be repeated',
      }),
      /** Addresses that stand for many clients, such as a proxy that is not trusted or a gateway: what is counted by address, and bans for offences, do not apply to them. `none` for nobody. Trusted proxies are always among them. */
      exempt: addresses({
        description:
          'Addresses that stand for many clients, such as a proxy that is not trusted or a gateway: what is counted by address, and bans for offences, do not apply to them. `none` for nobody. Trusted proxies are always among them.',
        default: ['loopback'],
        flag: 'exempt',
      }),
      /** How fast connections may come. */
      rate,
      /** Addresses that fail authentication or flood are kept out for a while. */
      bans,
    })
    .prefault({}),
  'group',
  { description: 'Who may connect, and how fast.' },
);

/** The option `trustedProxies`. */
export const trustedProxies = addresses({
  description:
    'The proxies in front of this server, as addresses, ranges or the words of `admission.allow`: what they tell about the client is believed. From anyone else it is ignored.',
  flag: 'trusted-proxy',
  defaultText: 'none; may be repeated',
});

/** The option `forwardedHeader`. */
export const forwardedHeader = choice(['x-forwarded-for', 'forwarded', 'none'], {
  description:
    'The header in which the trusted proxies tell who the client is; the other one is ignored, since a proxy passes on what it does not write itself. `none`: only by the PROXY protocol.',
});
