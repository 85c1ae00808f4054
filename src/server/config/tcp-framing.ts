/** Owns the options that cut the bytes of plain TCP clients into messages. Refuses to cut them. */
import { z } from 'zod';
import { choice, described } from './fields.js';

const delimiterError = 'expected text that is not empty';

/** How the bytes of clients that speak plain TCP become messages. Left out: each piece that comes is one, and nothing is put behind what is sent. */
export const tcpFraming = described(
  z
    .strictObject(
      {
        /** What ends a message of a plain TCP client, such as a line feed. It is no part of what a receiver sees, and is put behind each message that is sent to such a client. */
        delimiter: described(z.string({ error: delimiterError }).min(1, { error: delimiterError }), 'text', {
          description:
            'What ends a message of a plain TCP client, such as a line feed. It is no part of what a receiver sees, and is put behind each message that is sent to such a client.',
          flag: 'tcp-delimiter',
          placeholder: '<text>',
        }),
        /** Where the delimiter is looked for: at every place (`all`), only at the end of what one read brought (`tail`), or nowhere, so that each read is a message (`none`). */
        scan: choice(['all', 'tail', 'none'], {
          description:
            'Where the delimiter is looked for: at every place (`all`), only at the end of what one read brought (`tail`), or nowhere, so that each read is a message (`none`).',
          flag: 'tcp-delimiter-scan',
        }),
      },
      { error: 'expected { delimiter, scan }' },
    )
    .optional(),
  'group',
  {
    description:
      'How the bytes of clients that speak plain TCP become messages. Left out: each piece that comes is one, and nothing is put behind what is sent.',
  },
);
