/** Owns the options that say how long each state that waits may wait. Refuses to keep time. */
import { z } from 'zod';
import { described, duration, fraction } from './fields.js';

/** How long each state that waits may wait. */
export const timeouts = described(
  z
    .strictObject({
      /** From the first byte to the decision: the request must arrive and `onUpgradeRequest` answer within it. A client that sends nothing is cut after as long. */
      handshake: duration({
        description:
          'From the first byte to the decision: the request must arrive and `onUpgradeRequest` answer within it. A client that sends nothing is cut after as long.',
        default: '15s',
        min: 1,
        flag: 'handshake-timeout',
      }),
      /** Connecting to the target, with TLS and its handshake; then the client gets 504. */
      dial: duration({
        description: 'Connecting to the target, with TLS and its handshake; then the client gets 504.',
        default: '10s',
        min: 1,
        flag: 'dial-timeout',
      }),
      /** How long an address of a target may leave a dial unanswered before the next one is tried beside it (RFC 8305). */
      dialAttempt: duration({
        description:
          'How long an address of a target may leave a dial unanswered before the next one is tried beside it (RFC 8305).',
        default: '250ms',
        min: 10,
        flag: 'dial-attempt-delay',
      }),
      /** The closing handshake; then the connection is cut. */
      close: duration({
        description: 'The closing handshake; then the connection is cut.',
        default: '10s',
        min: 1,
        flag: 'close-timeout',
      }),
      /** How long a connection may carry nothing either way before it is closed with 1001. 0 = for ever. */
      idle: duration({
        description: 'How long a connection may carry nothing either way before it is closed with 1001. 0 = for ever.',
        default: 0,
        flag: 'idle-timeout',
      }),
      /** How long a connection may live at all before it is closed with 1001. 0 = for ever. */
      lifetime: duration({
        description: 'How long a connection may live at all before it is closed with 1001. 0 = for ever.',
        default: 0,
        flag: 'lifetime',
      }),
      /** The share of the lifetime that is taken off at random, so that connections do not all end at once. */
      lifetimeJitter: fraction({
        description:
          'The share of the lifetime that is taken off at random, so that connections do not all end at once.',
        default: 0.1,
        flag: 'lifetime-jitter',
      }),
      /** How long a peer may read nothing while data waits for it before it is closed with 1008. */
      writeStall: duration({
        description: 'How long a peer may read nothing while data waits for it before it is closed with 1008.',
        default: '60s',
        min: 1,
        flag: 'write-stall-timeout',
      }),
      /** How long stopping waits for connections to end before it cuts them. */
      drain: duration({
        description: 'How long stopping waits for connections to end before it cuts them.',
        default: '15s',
        flag: 'drain-timeout',
      }),
      /** How long backpressure must last before it becomes a visible state with `onThrottled`. */
      pressureDwell: duration({
        description: 'How long backpressure must last before it becomes a visible state with `onThrottled`.',
        default: '20ms',
        flag: 'pressure-dwell',
      }),
    })
    .prefault({}),
  'group',
  { description: 'How long each state that waits may wait.' },
);
