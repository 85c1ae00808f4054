/** Owns the options of what an application sends and cannot be written at once. Refuses to queue anything. */
import { z } from 'zod';
import { choice, count, described } from './fields.js';

/** What becomes of the sends of an application that have to wait. */
export const outbound = described(
  z
    .strictObject({
      /** In which order waiting sends leave: those with the lowest number first, and equal ones in the order of their sends. */
      priorities: z
        .strictObject({
          /** The level of text messages that wait; the lowest leaves first. */
          text: count({
            description: 'The level of text messages that wait; the lowest leaves first.',
            default: 1,
            max: 9,
            flag: 'text-priority',
          }),
          /** The level of binary messages that wait. */
          binary: count({
            description: 'The level of binary messages that wait.',
            default: 1,
            max: 9,
            flag: 'binary-priority',
          }),
          /** The level of pings of the application. Below that of both kinds of messages they do not wait for messages at all. */
          ping: count({
            description:
              'The level of pings of the application. Below that of both kinds of messages they do not wait for messages at all.',
            default: 0,
            max: 9,
            flag: 'ping-priority',
          }),
        })
        .prefault({}),
      /** What becomes of a send when `limits.maxQueuedBytes` wait already: `reject` drops it, `drop-oldest` drops the oldest that wait, `drop-newest` the newest of less important ones, `close` closes with 1008. */
      overflow: choice(['reject', 'drop-oldest', 'drop-newest', 'close'], {
        description:
          'What becomes of a send when `limits.maxQueuedBytes` wait already: `reject` drops it, `drop-oldest` drops the oldest that wait, `drop-newest` the newest of less important ones, `close` closes with 1008.',
      }),
    })
    .prefault({}),
  'group',
  { description: 'What becomes of the sends of an application that have to wait.' },
);
