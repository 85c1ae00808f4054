/** Owns the options of what can be seen of connections. Refuses to look. */
import { z } from 'zod';
import { count, described } from './fields.js';

/** What is kept so that it can be looked at. */
export const inspection = described(
  z
    .strictObject({
      /** How many of the last steps of each connection and its upstream are kept while there is an admin API, for the question why it is in its state. 0 keeps none. */
      history: count({
        description:
          'How many of the last steps of each connection and its upstream are kept while there is an admin API, for the question why it is in its state. 0 keeps none.',
        default: 12,
        max: 1000,
      }),
      /** How many connections that ended, and handshakes that were refused, are kept to be explained, while there is an admin API. */
      ended: count({
        description:
          'How many connections that ended, and handshakes that were refused, are kept to be explained, while there is an admin API.',
        default: 100,
        max: 10_000,
      }),
    })
    .prefault({}),
  'group',
  { description: 'What is kept so that it can be looked at.' },
);
