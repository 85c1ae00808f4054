/** Owns the part of the table of error codes that is about recordings. */
import type { ErrorEntry } from './error-entry.js';

/** What can go wrong with recording a connection, and with a recording. */
export const RECORDING_ERRORS = {
  RECORDING_OFF: {
    whose: 'operator',
    status: 409,
    help: 'Name a folder for recordings: the option `recording.directory`.',
  },
  RECORDING_LIMIT: {
    whose: 'operator',
    status: 409,
    help: 'As many connections are recorded as may be (`recording.maxRecordings`); end the recording of one.',
  },
  RECORDING_NOT_OPEN: {
    whose: 'operator',
    status: 409,
    help: 'A connection is recorded at run time once it is open, and until it is closed; rules record handshakes, too.',
  },
  RECORDING_ACTIVE: {
    whose: 'operator',
    status: 409,
    help: 'The file is still written to; end the recording of its connection first.',
  },
  RECORDING_FAILED: {
    whose: 'operator',
    help: 'The file of a recording cannot be written; the recording has ended, and the connection goes on. The message says why.',
  },
  UNKNOWN_RECORDING: {
    whose: 'operator',
    status: 404,
    help: 'There is no recording with that name; `GET /api/v1/recordings` lists those there are.',
  },
  INVALID_RECORDING: {
    whose: 'operator',
    status: 422,
    help: 'The file is no recording of a version that this one reads (docs/reference/recording-format.md); the message says in which line.',
  },
  REPLAY_FAILED: {
    whose: 'operator',
    help: 'The recording could not be played to its end; the message says what was waited for.',
  },
} as const satisfies Record<string, ErrorEntry>;
