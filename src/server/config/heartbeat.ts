/** Owns the options of the heartbeat. Refuses to beat. */
import { z } from 'zod';
import { choice, described, duration, optionalDuration } from './fields.js';

/** How a dead peer is found. */
export const heartbeat = described(
  z
    .strictObject({
      /** Time between two pings to a client, and to a WebSocket target. 0 turns the heartbeat off; half-open connections then stay until the system notices. */
      interval: duration({
        description:
          'Time between two pings to a client, and to a WebSocket target. 0 turns the heartbeat off; half-open connections then stay until the system notices.',
        default: '30s',
      }),
      /** How long a ping may stay unanswered before the connection is terminated and reported as 1006. */
      timeout: optionalDuration({
        description: 'How long a ping may stay unanswered before the connection is terminated and reported as 1006.',
        defaultText: 'the interval',
      }),
      /** `always` pings every interval; `if-idle` only a client that sent nothing since the last one. */
      mode: choice(['always', 'if-idle'], {
        description: '`always` pings every interval; `if-idle` only a client that sent nothing since the last one.',
      }),
    })
    .superRefine((value, context) => {
      if (value.timeout !== 0 || value.interval === 0) return;
      const message = 'expected at least 1 ms while the heartbeat is on; `interval: 0` turns it off';
      context.addIssue({ code: 'custom', message, input: 0, path: ['timeout'] });
    })
    .transform((value) => ({ ...value, timeout: value.timeout ?? value.interval }))
    .prefault({}),
  'group',
  { description: 'How a dead peer is found.' },
);
