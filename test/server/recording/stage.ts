/** Owns what the tests of recordings set up: where recordings go, and waiting for one to be complete. Refuses to assert anything. */
import { join } from 'node:path';
import type { ProxyServer, ReceiverServer } from '../../../src/index.js';
import type { BodyLine } from '../../../src/server/recording/format.js';
import { type Recording, readRecording } from '../../../src/server/recording/read-recording.js';
import type { RecordingReport } from '../../../src/server/recording/recording-report.js';
import { folderForTest } from '../../support/folder.js';
import { Given } from '../stage.js';

/** Recordings of one server. */
export class Tapes {
  readonly folder = folderForTest();
  readonly reports: RecordingReport[] = [];
  readonly #over = new Given<RecordingReport>();

  /** The option `recording` that writes here. */
  options(more: object = {}): { directory: string } {
    return { directory: this.folder, ...more };
  }

  listen(server: ProxyServer | ReceiverServer): this {
    server.on('recording', (report) => {
      this.reports.push(report);
      if (report.state !== 'begun') this.#over.add(report);
    });
    return this;
  }

  /** Waits for the end of the next recording. */
  nextEnd(): Promise<RecordingReport> {
    return this.#over.next();
  }

  /** The next recording that is complete. */
  async next(): Promise<Recording> {
    const { file } = await this.nextEnd();
    return this.read(file);
  }

  read(file: string): Promise<Recording> {
    return readRecording(join(this.folder, file));
  }
}

type Frame = Extract<BodyLine, { type: 'frame' }>;

/** The frames of a recording. */
export function framesOf({ lines }: Recording): Frame[] {
  return lines.filter((line) => line.type === 'frame');
}

/** The payload of a line. */
export function payloadOf({ text, base64 }: Pick<Frame, 'text' | 'base64'>): Buffer {
  return text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text);
}
