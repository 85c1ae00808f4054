/** Owns the options that say which names stand for backends. Refuses to resolve them. */
import { z } from 'zod';
import { DISCOVERY_NAME_FORMS, parseDiscoveryName } from '../../balancer/discovery/discovery-name.js';
import { described, duration } from '../fields.js';

const NAME_ERROR = `expected ${DISCOVERY_NAME_FORMS}`;

const names = z
  .array(z.string({ error: NAME_ERROR }), { error: 'expected a list of addresses' })
  .default([])
  .superRefine((all, context) => {
    const seen = new Set<string>();
    for (const [index, text] of all.entries()) {
      const name = parseDiscoveryName(text);
      const key = 'fault' in name ? text : `${name.by} ${name.host}:${name.port}`;
      const wrong =
        'fault' in name
          ? `${NAME_ERROR} (${name.fault})`
          : seen.has(key) && 'expected each name once; another one has the same host and port';
      if (wrong) context.addIssue({ code: 'custom', message: wrong, input: text, path: [index] });
      seen.add(key);
    }
  });

/** Backends that are found by name. */
export const discovery = described(
  z
    .strictObject({
      /** Addresses whose name stands for several backends: each A or AAAA record is one, or each SRV record with `srv+` before the scheme. */
      names: described(names, 'list', {
        description:
          'Addresses whose name stands for several backends: each A or AAAA record is one, or each SRV record with `srv+` before the scheme.',
        flag: 'discover',
        placeholder: '<url>',
        defaultText: 'none',
      }),
      /** How often names are resolved again. */
      interval: duration({
        description: 'How often names are resolved again.',
        default: '30s',
        min: 100,
        flag: 'discover-interval',
      }),
    })
    .prefault({}),
  'group',
  { description: 'Backends that are found by name.' },
);
