/**
 * Owns the format of a recording: one JSON object a line, the first of which says whose recording it is. Refuses to write or to read
 * files.
 */
import type { StateValue } from 'xstate';
import { z } from 'zod';

/** The version that is written, and the only one that is read. Fields and types of lines that are not known are passed over. */
export const RECORDING_VERSION = 1;

/** What the names of recordings end with. */
export const RECORDING_SUFFIX = '.tidegate.ndjson';

/** What stands in place of what was blotted out. */
export const BLOT = '[redacted]';

const field = z.tuple([z.string(), z.string()]);
const traffic = z.object({ messages: z.number(), bytes: z.number() });
const stateValue: z.ZodType<StateValue> = z.lazy(() => z.union([z.string(), z.record(z.string(), stateValue)]));
const side = z.enum(['connection', 'upstream']);
const milliseconds = z.number().nonnegative();
const from = z.enum(['client', 'server']);

const ending = z.object({ initiator: z.string(), cause: z.string(), code: z.number(), reason: z.string() });

/** The first line. */
export const headerLine = z.object({
  type: z.literal('recording'),
  version: z.literal(RECORDING_VERSION),
  /** The id of the connection. */
  id: z.string(),
  /** When time 0 of the lines is, in ISO 8601. */
  began: z.iso.datetime(),
  /** 1 for the first file of a recording. */
  part: z.int().min(1),
  /** Whether something went over the connection before. */
  midway: z.boolean(),
  transport: z.enum(['websocket', 'tcp']),
  request: z.object({
    method: z.string(),
    url: z.string(),
    headers: z.array(field),
    remoteAddress: z.string(),
    remotePort: z.number(),
    localAddress: z.string(),
    localPort: z.number(),
    secure: z.boolean(),
  }),
  /** The answer to the handshake; left out midway, and where there was none. */
  response: z.object({ status: z.number(), statusText: z.string(), headers: z.array(field) }).optional(),
  target: z.string().optional(),
  subprotocol: z.string(),
  dataPath: z.enum(['frames', 'stream', 'messages', 'bytes']).optional(),
  user: z.string().optional(),
  /** Where the charts were before the first line; left out for one that had not begun. */
  charts: z.object({ connection: stateValue.optional(), upstream: stateValue.optional() }),
});

/** A chart took a step. */
export const stepLine = z.object({
  type: z.literal('step'),
  /** Milliseconds since `began`, as in every line. */
  t: milliseconds,
  side,
  event: z.object({
    type: z.string(),
    ending: ending.optional(),
    dial: z.enum(['before-accept', 'after-accept', 'none']).optional(),
    error: z.string().optional(),
  }),
  /** Where the chart is after it. */
  value: stateValue,
});

/** A whole frame passed on the client's wire. */
export const frameLine = z.object({
  type: z.literal('frame'),
  t: milliseconds,
  from,
  opcode: z.int().min(0).max(15),
  fin: z.boolean(),
  /** The reserved bits, as a number from 1 to 7: 4 is RSV1, which says that the message is compressed. */
  rsv: z.int().min(1).max(7).optional(),
  /** Whether it is masked, where that is not as it has to be. */
  masked: z.boolean().optional(),
  /** The size of the payload on the wire. */
  bytes: z.number().nonnegative(),
  text: z.string().optional(),
  base64: z.base64().optional(),
  /** How many frames it stands for; left out for one. */
  frames: z.int().min(1).optional(),
  /** The payload was compressed on the wire, and is not here. */
  inflated: z.boolean().optional(),
  /** Something in the payload was blotted out or replaced. */
  redacted: z.boolean().optional(),
  /** Why the payload is not complete: only its beginning was kept, payloads are off, it could not be redacted, the connection ended. */
  missing: z.enum(['rest', 'off', 'withheld', 'cut']).optional(),
});

/** Bytes passed on the wire of a client that speaks plain TCP. */
export const bytesLine = z.object({
  type: z.literal('bytes'),
  t: milliseconds,
  from,
  bytes: z.number().nonnegative(),
  text: z.string().optional(),
  base64: z.base64().optional(),
  redacted: z.boolean().optional(),
  missing: z.enum(['rest', 'off', 'withheld', 'cut']).optional(),
});

/** The file could not be written as fast as it all came: this much is not in it. */
export const lostLine = z.object({
  type: z.literal('lost'),
  t: milliseconds,
  /** Frames, or pieces of a byte stream. */
  frames: z.number(),
  /** Of their payloads. */
  bytes: z.number(),
  steps: z.number(),
});

/** The last line. A file without one was cut off. */
export const endLine = z.object({
  type: z.literal('end'),
  t: milliseconds,
  /** The connection is over, was refused, goes on unrecorded or in another file, or the server stopped. */
  why: z.enum(['closed', 'rejected', 'stopped', 'continued', 'shutdown']),
  report: z
    .object({
      initiator: z.string(),
      cause: z.string(),
      status: z.number(),
      reason: z.string(),
      codeSent: z.number().optional(),
      codeReceived: z.number().optional(),
      received: traffic,
      sent: traffic,
      durationMs: z.number(),
      undeliveredBytes: z.number(),
      dropped: traffic,
    })
    .optional(),
});

/** Every line but the first. */
export const bodyLine = z.discriminatedUnion('type', [stepLine, frameLine, bytesLine, lostLine, endLine]);

export type HeaderLine = z.output<typeof headerLine>;
export type StepLine = z.output<typeof stepLine>;
export type FrameLine = z.output<typeof frameLine>;
export type BytesLine = z.output<typeof bytesLine>;
export type LostLine = z.output<typeof lostLine>;
export type EndLine = z.output<typeof endLine>;
export type BodyLine = z.output<typeof bodyLine>;

/** Which side of the client's wire something came from; `server` is Tidegate and what is behind it. */
export type Sender = FrameLine['from'];

// Whoever prints a file to a terminal gets no control characters out of it: JSON itself leaves these as they are.
const UNSAFE = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Writes one line, with its end. */
export function formatLine(line: HeaderLine | BodyLine): string {
  const json = JSON.stringify(line);
  return `${json.replace(UNSAFE, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
