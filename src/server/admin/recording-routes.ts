/** Owns what the admin API answers about recordings, and what begins and ends one. Refuses to know what is in a file. */
import { z } from 'zod';
import { TidegateError } from '../../receivers/index.js';
import { toHar } from '../recording/har.js';
import { parseRecording } from '../recording/read-recording.js';
import type { RecordingFolder } from '../recording/recording-folder.js';
import { readBody } from './admin-input.js';
import type { AdminRequest, AdminRoute } from './admin-route.js';
import type { Administration } from './administration.js';

const RECORDINGS = '/api/v1/recordings';
const ONE = `${RECORDINGS}/{name}`;

/** What is read at once. */
const PIECE_BYTES = 64 * 1024;

const wish = z.strictObject({
  /** False ends the recording. */
  record: z.boolean().default(true),
});

/** The routes about the recordings of one server. */
export function recordingRoutes({ observation: { recorder } }: Administration): AdminRoute[] {
  return [
    {
      method: 'POST',
      path: '/api/v1/connections/{id}/record',
      query: [],
      answer: ({ params, body }) => {
        const id = params.id!;
        if (!readBody(wish, body).record) return { status: 200, body: { id, stopped: recorder.stopRecording(id) } };
        const file = recorder.record(id);
        return { status: file === undefined ? 202 : 200, body: { id, file: file ?? null } };
      },
    },
    {
      method: 'GET',
      path: RECORDINGS,
      query: [],
      answer: async () => ({
        status: 200,
        body: { recordings: (await recorder.folder?.list()) ?? [], connections: recorder.active },
      }),
    },
    {
      method: 'GET',
      path: ONE,
      query: [],
      answer: async (request) => {
        const { folder, name } = found(recorder.folder, request);
        await (await folder.openToRead(name)).close();
        const headers = { 'Content-Disposition': `attachment; filename="${name}"` };
        return { status: 200, type: 'application/x-ndjson; charset=utf-8', headers, stream: piecesOf(folder, name) };
      },
    },
    {
      method: 'GET',
      path: `${ONE}/har`,
      query: [],
      answer: async (request) => {
        const { folder, name } = found(recorder.folder, request);
        const handle = await folder.openToRead(name);
        try {
          return { status: 200, body: toHar(parseRecording(await handle.readFile('utf8'), name)) };
        } finally {
          await handle.close();
        }
      },
    },
    {
      method: 'DELETE',
      path: ONE,
      query: [],
      answer: async (request) => {
        const { folder, name } = found(recorder.folder, request);
        await folder.remove(name);
        return { status: 200, body: { name, removed: true } };
      },
    },
  ];
}

/** Opened with the first piece, so that whoever asks for none leaves nothing open. */
async function* piecesOf(folder: RecordingFolder, name: string): AsyncGenerator<string, void> {
  const handle = await folder.openToRead(name);
  try {
    yield* handle.createReadStream({ encoding: 'utf8', highWaterMark: PIECE_BYTES, autoClose: false });
  } finally {
    await handle.close();
  }
}

/** @throws TidegateError `UNKNOWN_RECORDING` where there is no folder. */
function found(folder: RecordingFolder | undefined, { params }: AdminRequest) {
  const name = params.name!;
  if (folder !== undefined) return { folder, name };
  throw new TidegateError('UNKNOWN_RECORDING', `there is no recording ${JSON.stringify(name)}`);
}
