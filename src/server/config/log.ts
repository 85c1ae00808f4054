/** Owns the options of the log, the same in a file and on the command line. Refuses to log. */
import { z } from 'zod';
import { choice, described, duration, flag } from './fields.js';
import { LOG_LEVELS } from './log-levels.js';

const REDACT_ERROR = "expected names of fields, such as 'remoteAddress', 'path', 'user' or 'certificates[*].names'";

/** A path as pino takes it, without its brackets around names. */
const FIELD = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*|\.\*|\[(?:\d+|\*)\])*$/;

/** How to log. */
export const logSchema = z.strictObject({
  /** `text` is for people, `json` writes one object a line; `auto` is text on a terminal and JSON elsewhere. */
  format: choice(['auto', 'text', 'json'], {
    description:
      '`text` is for people, `json` writes one object a line; `auto` is text on a terminal and JSON elsewhere.',
    flag: 'log-format',
  }),
  /** The least important lines that are written. */
  level: choice(LOG_LEVELS, {
    description: 'The least important lines that are written.',
    default: 'info',
    flag: 'log-level',
  }),
  /** Whether the line about a connection that opens is of level `info`; else it is of `debug`. */
  opened: flag({
    description: 'Whether the line about a connection that opens is of level `info`; else it is of `debug`.',
    default: false,
    flag: 'log-opened',
  }),
  /** How often a connection that is open for so long has a line with what it has carried. 0 = never. */
  every: duration({
    description: 'How often a connection that is open for so long has a line with what it has carried. 0 = never.',
    default: 0,
    flag: 'log-every',
  }),
  /** Fields whose values are left out of every line, such as `remoteAddress`, `path`, `user`, `detail`. */
  redact: described(
    z
      .array(z.string({ error: REDACT_ERROR }).regex(FIELD, { error: REDACT_ERROR }), { error: REDACT_ERROR })
      .default([]),
    'list',
    {
      description: 'Fields whose values are left out of every line, such as `remoteAddress`, `path`, `user`, `detail`.',
      flag: 'log-redact',
      placeholder: '<field>',
    },
  ),
});

/** How to log, after validation. */
export type LogConfig = z.output<typeof logSchema>;
