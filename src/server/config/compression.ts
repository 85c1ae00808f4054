/** Owns the option for permessage-deflate (RFC 7692), which is a switch or an object. Refuses to compress. */
import { z } from 'zod';
import { count, described, flag, optionalCount, size } from './fields.js';

const settings = z.strictObject({
  /** Messages smaller than this are sent as they are: deflating them costs more than it saves. */
  threshold: size({
    description: 'Messages smaller than this are sent as they are: deflating them costs more than it saves.',
    default: '1KiB',
  }),
  /** The level of zlib, from 1 (fast) to 9 (small). */
  level: optionalCount({
    description: 'The level of zlib, from 1 (fast) to 9 (small).',
    min: 1,
    max: 9,
    defaultText: "zlib's own, 6",
  }),
  /** Whether the client is asked to forget its window after each message, which saves memory here. */
  clientNoContextTakeover: flag({
    description: 'Whether the client is asked to forget its window after each message, which saves memory here.',
    default: true,
  }),
  /** Whether the window towards the client is forgotten after each message, which saves memory here. */
  serverNoContextTakeover: flag({
    description: 'Whether the window towards the client is forgotten after each message, which saves memory here.',
    default: true,
  }),
  /** The largest window, as a power of two. */
  maxWindowBits: count({ description: 'The largest window, as a power of two.', default: 15, min: 9, max: 15 }),
});

/** The settings of permessage-deflate after validation. */
export type CompressionConfig = z.output<typeof settings>;

const DEFAULTS = settings.parse({});

/** The option `compression`; resolves to false or the settings. */
export const compression = described(
  z
    .union([z.boolean(), settings], { error: 'expected true, false or an object with settings' })
    .transform((value): false | CompressionConfig => (value === true ? { ...DEFAULTS } : value))
    .prefault(false),
  'boolean',
  {
    description:
      'permessage-deflate (RFC 7692) where messages are assembled. Elsewhere it is negotiated end to end and needs no option.',
  },
);
