/** Owns the options that say which connections are recorded, how much of them, and what is left out. Refuses to record. */
import { z } from 'zod';
import { parseAddressRanges } from '../../protocol/address-set.js';
import { describeError } from '../../receivers/errors.js';
import { fromBaseDirectory } from './base-directory.js';
import { count, described, flag, fraction, size } from './fields.js';

const TEXT_ERROR = 'expected text that is not empty';
const someText = z.string({ error: TEXT_ERROR }).min(1, { error: TEXT_ERROR }).optional();

const address = z
  .string({ error: TEXT_ERROR })
  .superRefine((value, context) => {
    const ranges = parseAddressRanges(value);
    if ('fault' in ranges) context.addIssue({ code: 'custom', message: ranges.fault, input: value });
  })
  .optional();

const rule = z.strictObject(
  {
    /** The path of the request, without the query; `*` stands for any characters. */
    path: someText.meta({
      description: 'The path of the request, without the query; `*` stands for any characters.',
    }),
    /** The name of the principal. */
    user: someText.meta({ description: 'The name of the principal.' }),
    /** One of the tags of the principal. */
    tag: someText.meta({ description: 'One of the tags of the principal.' }),
    /** The address of the client, or a range of them. */
    address: address.meta({ description: 'The address of the client, or a range of them.' }),
    /** Which share of the connections that fit. */
    sample: fraction({ description: 'Which share of the connections that fit.', default: 1 }),
  },
  { error: 'expected an object with `path`, `user`, `tag`, `address` or `sample`' },
);

/** Which connections are recorded: those that everything in it fits. */
export type RecordingRule = z.output<typeof rule>;

const PATTERN_ERROR = 'expected the source of a regular expression, without slashes';

const blot = z
  .strictObject({
    /** A regular expression; what it matches is blotted out. */
    pattern: z
      .string({ error: PATTERN_ERROR })
      .min(1, { error: PATTERN_ERROR })
      .superRefine((value, context) => {
        try {
          new RegExp(value);
        } catch (error) {
          context.addIssue({ code: 'custom', message: `${PATTERN_ERROR} (${describeError(error)})`, input: value });
        }
      })
      .optional()
      .meta({ description: 'A regular expression; what it matches is blotted out.' }),
    /** The name of a field in any case, at any depth, in messages that are JSON; its value is blotted out. */
    field: someText.meta({
      description:
        'The name of a field in any case, at any depth, in messages that are JSON; its value is blotted out.',
    }),
  })
  .refine(({ pattern, field }) => (pattern === undefined) !== (field === undefined), {
    error: 'expected either `pattern` or `field`',
  });

/** What is blotted out of what is recorded. */
export type RedactionRule = z.output<typeof blot>;

const NAME_ERROR = 'expected a name';
const names = z.array(z.string({ error: NAME_ERROR }).min(1, { error: NAME_ERROR }), {
  error: 'expected a list of names',
});

/** Recording connections to files. */
export const recording = described(
  z
    .strictObject({
      /** The folder that recordings are written to; made when there is none. Left out: nothing can be recorded. */
      directory: described(
        z
          .string({ error: TEXT_ERROR })
          .min(1, { error: TEXT_ERROR })
          .transform((name) => fromBaseDirectory(name))
          .optional(),
        'text',
        {
          description:
            'The folder that recordings are written to; made when there is none. Left out: nothing can be recorded.',
          placeholder: '<folder>',
        },
      ),
      /** Which connections are recorded from their handshake on: objects with `path` (with `*`), `user`, `tag`, `address`, `sample`. The first that fits decides. A receiver decides before them, with `accept({ record })`. */
      rules: described(z.array(rule, { error: 'expected a list of rules' }).default([]), 'list', {
        description:
          'Which connections are recorded from their handshake on: objects with `path` (with `*`), `user`, `tag`, `address`, `sample`. The first that fits decides. A receiver decides before them, with `accept({ record })`.',
        flag: false,
        defaultText: 'none',
      }),
      /** How many connections are recorded at a time; those beyond are not. */
      maxRecordings: count({
        description: 'How many connections are recorded at a time; those beyond are not.',
        default: 16,
        min: 1,
        max: 10_000,
      }),
      /** How large a file becomes; the recording goes on in another one. */
      maxFileBytes: size({
        description: 'How large a file becomes; the recording goes on in another one.',
        default: '16MiB',
        min: 16_384,
      }),
      /** How many files there may be in the folder; the oldest are removed. */
      maxFiles: count({
        description: 'How many files there may be in the folder; the oldest are removed.',
        default: 64,
        min: 1,
        max: 100_000,
      }),
      /** How much of one recording may wait to be written. What comes beyond it is left out, and the file says how much. */
      bufferBytes: size({
        description:
          'How much of one recording may wait to be written. What comes beyond it is left out, and the file says how much.',
        default: '1MiB',
        min: 4096,
      }),
      /** Whether payloads are recorded, and not their sizes only. */
      payloads: flag({ description: 'Whether payloads are recorded, and not their sizes only.', default: true }),
      /** How much of the payload of a frame is recorded. With `redact` a message that is larger is left out whole. */
      maxPayloadBytes: size({
        description:
          'How much of the payload of a frame is recorded. With `redact` a message that is larger is left out whole.',
        default: '1MiB',
        min: 1,
      }),
      /** What is blotted out of messages, of header fields and of URLs: objects with `pattern`, a regular expression, or with `field`, a name in messages that are JSON. */
      redact: described(z.array(blot, { error: 'expected a list of objects' }).default([]), 'list', {
        description:
          'What is blotted out of messages, of header fields and of URLs: objects with `pattern`, a regular expression, or with `field`, a name in messages that are JSON.',
        flag: false,
        defaultText: 'none',
      }),
      /** The header fields that are blotted out beside those that are known to hold secrets. */
      redactHeaders: described(names.default([]), 'list', {
        description: 'The header fields that are blotted out beside those that are known to hold secrets.',
        flag: false,
        defaultText: 'none',
      }),
      /** The parameters of the query that are blotted out beside those whose name says that they are secrets. */
      redactQuery: described(names.default([]), 'list', {
        description:
          'The parameters of the query that are blotted out beside those whose name says that they are secrets.',
        flag: false,
        defaultText: 'none',
      }),
    })
    .prefault({}),
  'group',
  { description: 'Recording connections to files, to look at or to play again.' },
);

/** The options of recording, after validation. */
export type RecordingConfig = z.output<typeof recording>;
