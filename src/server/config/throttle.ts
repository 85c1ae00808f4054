/** Owns the options of the throttle. Refuses to pace anything. */
import { z } from 'zod';
import { bitRate, described } from './fields.js';

/** How fast each connection may be. */
export const throttle = described(
  z
    .strictObject({
      /** How fast what a client sends is read, for each connection. 0 = as fast as it goes. */
      read: bitRate({
        description: 'How fast what a client sends is read, for each connection. 0 = as fast as it goes.',
        default: 0,
      }),
      /** How fast a client is written to, for each connection. Pings, pongs and Close frames do not wait. 0 = as fast as it goes. */
      write: bitRate({
        description:
          'How fast a client is written to, for each connection. Pings, pongs and Close frames do not wait. 0 = as fast as it goes.',
        default: 0,
      }),
    })
    .prefault({}),
  'group',
  { description: 'How fast each connection may be. A receiver may choose others for one of them.' },
);
