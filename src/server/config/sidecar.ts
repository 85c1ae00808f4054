/** Owns the options of `tidegate register`, which stands beside a backend that cannot register itself. Refuses to connect to anything. */
import { z } from 'zod';
import { described, duration, optionalText } from './fields.js';
import { ADVERTISE, advertised, agentShape } from './register.js';

const CHECK_ERROR = 'expected the address of the backend, as host:port';

/** How it is found out that the backend is there. */
const check = described(
  z
    .strictObject({
      /** Where the backend is seen to be there: it gets clients only while a TCP connection to this address can be made. Left out: it is taken to be there for as long as this program runs. */
      target: described(
        optionalText({
          description:
            'Where the backend is seen to be there: it gets clients only while a TCP connection to this address can be made. Left out: it is taken to be there for as long as this program runs.',
          flag: 'check',
          placeholder: '<host:port>',
        }).refine((value) => value === undefined || /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/[\]]+):\d{1,5}$/.test(value), {
          error: CHECK_ERROR,
        }),
        'text',
        {
          description:
            'Where the backend is seen to be there: it gets clients only while a TCP connection to this address can be made. Left out: it is taken to be there for as long as this program runs.',
          flag: 'check',
          placeholder: '<host:port>',
        },
      ),
      /** The pause between two checks, and how long one may take. Two that fail in a row take the backend out, one that succeeds puts it back. */
      interval: duration({
        description:
          'The pause between two checks, and how long one may take. Two that fail in a row take the backend out, one that succeeds puts it back.',
        default: '2s',
        min: 10,
      }),
    })
    .prefault({}),
  'group',
  { description: 'How it is found out that the backend is there.' },
);

const { ready: _ready, ...shape } = agentShape;

/** The options of `tidegate register`. */
export const sidecarSchema = z.strictObject({
  ...shape,
  /** Where the balancer and clients reach the backend, best first. */
  advertise: described(advertised, 'list', {
    ...ADVERTISE,
    description: 'Where the balancer and clients reach the backend, best first.',
  }),
  /** How it is found out that the backend is there. */
  check,
});

/** The options of `tidegate register` after validation. */
export type SidecarConfig = z.output<typeof sidecarSchema>;
