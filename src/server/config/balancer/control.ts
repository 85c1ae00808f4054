/** Owns the options of the control channels by which backends register themselves. Refuses to accept one. */
import { z } from 'zod';
import { count, described, duration, optionalText } from '../fields.js';

const TOKENS_ERROR = 'expected a list of secrets of at least 16 characters';
const NAMES_ERROR = 'expected a list of names, such as backend.example.org';

/** How backends register themselves. */
export const control = described(
  z
    .strictObject({
      /** The path of control channels on listeners for clients, such as `/.tidegate/control`. Left out: they are taken by listeners with `role: control` only. */
      path: optionalText({
        description:
          'The path of control channels on listeners for clients, such as `/.tidegate/control`. Left out: they are taken by listeners with `role: control` only.',
      }),
      /** Shared secrets, one of which a backend has to know. Several, so that they can be changed one after the other. None: a client certificate is needed. */
      tokens: described(
        z
          .array(z.string({ error: TOKENS_ERROR }).min(16, { error: TOKENS_ERROR }), { error: TOKENS_ERROR })
          .default([]),
        'list',
        {
          description:
            'Shared secrets, one of which a backend has to know. Several, so that they can be changed one after the other. None: a client certificate is needed.',
          flag: 'control-token',
          placeholder: '<secret>',
          defaultText: 'none',
        },
      ),
      /** The common names or alternative names of the client certificates that may register, when there are no tokens. Left out: any that is verified. */
      certificateNames: described(
        z.array(z.string({ error: NAMES_ERROR }).min(1, { error: NAMES_ERROR }), { error: NAMES_ERROR }).optional(),
        'list',
        {
          description:
            'The common names or alternative names of the client certificates that may register, when there are no tokens. Left out: any that is verified.',
          placeholder: '<name>',
          defaultText: 'any',
        },
      ),
      /** How long a backend may be silent before it is taken for lost. It says something three times in that time. */
      lease: duration({
        description:
          'How long a backend may be silent before it is taken for lost. It says something three times in that time.',
        default: '15s',
        min: 300,
        flag: 'control-lease',
      }),
      /** How long a backend may take to say what became of a message for its clients, before it is reported as lost. */
      groupTimeout: duration({
        description:
          'How long a backend may take to say what became of a message for its clients, before it is reported as lost.',
        default: '5s',
        min: 10,
        flag: 'control-group-timeout',
      }),
      /** How many backends may be registered at a time. */
      maxBackends: count({
        description: 'How many backends may be registered at a time.',
        default: 1000,
        min: 1,
      }),
    })
    .prefault({}),
  'group',
  { description: 'How backends register themselves.' },
);
