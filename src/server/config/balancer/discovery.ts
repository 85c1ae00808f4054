/** Owns the options that say which names stand for backends. Refuses to resolve them. */
import { z } from 'zod';
import { described, duration } from '../fields.js';

const NAME_ERROR = 'expected ws://name:port/path or another address with a name, or srv+ws://_service._tcp.name/path';

/** Backends that are found by name. */
export const discovery = described(
  z
    .strictObject({
      /** Addresses whose name stands for several backends: each A or AAAA record is one, or each SRV record with `srv+` before the scheme. */
      names: described(z.array(z.string({ error: NAME_ERROR }).min(1), { error: NAME_ERROR }).default([]), 'list', {
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
