/** Owns the options of the watchdog over the listeners. Refuses to watch. */
import { z } from 'zod';
import { count, described, duration, flag } from './fields.js';

/** What is done about a listener that died or does not answer. */
export const watchdog = described(
  z
    .strictObject({
      /** Whether a listener that died is opened again on its address. Off, its death is only told. */
      enabled: flag({
        description: 'Whether a listener that died is opened again on its address. Off, its death is only told.',
        default: true,
        flag: 'watchdog',
      }),
      /** How often listeners are looked at, and the pause between two attempts to open one again. */
      interval: duration({
        description: 'How often listeners are looked at, and the pause between two attempts to open one again.',
        default: '5s',
        min: 1,
      }),
      /** Attempts to open a listener again before it is given up as `LISTENER_LOST`. 0 = without end. */
      attempts: count({
        description: 'Attempts to open a listener again before it is given up as `LISTENER_LOST`. 0 = without end.',
        default: 0,
      }),
      selfProbe: z
        .strictObject({
          /** Whether the server connects to its own listeners every `watchdog.interval` and opens one again that twice did not answer. */
          enabled: flag({
            description:
              'Whether the server connects to its own listeners every `watchdog.interval` and opens one again that twice did not answer.',
            default: false,
            flag: 'self-probe',
          }),
          /** How long a listener may take to answer a probe, TLS included. */
          timeout: duration({
            description: 'How long a listener may take to answer a probe, TLS included.',
            default: '5s',
            min: 1,
            flag: 'self-probe-timeout',
          }),
        })
        .prefault({}),
    })
    .prefault({}),
  'group',
  { description: 'What is done about a listener that died or does not answer.' },
);
