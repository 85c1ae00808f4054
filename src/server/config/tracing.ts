/** Owns the options of traces. Refuses to make any. */
import { z } from 'zod';
import { described, flag } from './fields.js';

/** Spans for OpenTelemetry. */
export const tracing = described(
  z
    .strictObject({
      /** Whether handshakes, dials and connections become spans, and the context of a trace goes on to the target, once the process has an OpenTelemetry SDK. Without one nothing is done. */
      enabled: flag({
        description:
          'Whether handshakes, dials and connections become spans, and the context of a trace goes on to the target, once the process has an OpenTelemetry SDK. Without one nothing is done.',
        default: true,
      }),
    })
    .prefault({}),
  'group',
  { description: 'Spans for OpenTelemetry.' },
);
