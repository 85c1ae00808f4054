/** Owns the options that say what becomes of the clients of a backend that goes. Refuses to send them away. */
import { z } from 'zod';
import { choice, count, described, duration } from '../fields.js';

const FATES = ['keep', 'drain', 'close'] as const;

/** What becomes of the clients of a backend that goes: `keep` leaves them, `drain` sends them away at a pace, `close` sends them all away at once. They are told 1012, with the time after which to come back. */
export const drain = described(
  z
    .strictObject({
      /** The clients of a backend whose control channel is lost, while their connections still work. */
      whenLost: choice(FATES, {
        description: 'The clients of a backend whose control channel is lost, while their connections still work.',
      }),
      /** The clients of a backend whose health checks fail. */
      whenUnhealthy: choice(FATES, {
        description: 'The clients of a backend whose health checks fail.',
        default: 'close',
      }),
      /** The clients of a backend that an operator drains, or that asks for it itself. */
      whenDraining: choice(FATES, {
        description: 'The clients of a backend that an operator drains, or that asks for it itself.',
        default: 'drain',
      }),
      /** The clients of a backend that is removed, or that leaves. */
      whenRemoved: choice(FATES, {
        description: 'The clients of a backend that is removed, or that leaves.',
        default: 'drain',
      }),
      /** How many clients of a backend are sent away in a second. */
      perSecond: count({
        description: 'How many clients of a backend are sent away in a second.',
        default: 100,
        min: 1,
        flag: 'drains-per-second',
      }),
      /** The shortest time after which a client that is sent away is told to come back. */
      minDelay: duration({
        description: 'The shortest time after which a client that is sent away is told to come back.',
        default: '500ms',
      }),
      /** The longest time after which a client is told to come back; each is told another one between the two, so that they do not all come at once. */
      maxDelay: duration({
        description:
          'The longest time after which a client is told to come back; each is told another one between the two, so that they do not all come at once.',
        default: '5s',
      }),
      /** How long the drain of a backend may take before what is left is cut. 0 = for ever. */
      timeout: duration({
        description: 'How long the drain of a backend may take before what is left is cut. 0 = for ever.',
        default: '60s',
        flag: 'backend-drain-timeout',
      }),
    })
    .prefault({}),
  'group',
  {
    description:
      'What becomes of the clients of a backend that goes: `keep` leaves them, `drain` sends them away at a pace, `close` sends them all away at once. They are told 1012, with the time after which to come back.',
  },
);
