/** Owns reading the stream of `GET /api/v1/inspect` as a page would. Refuses to judge what it says. */
import { type IncomingMessage, request } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Frame } from '../../../src/server/inspection/frames.js';
import { WaitingLine } from '../../support/events.js';

/** A stream of frames. Closed with the test. */
export class FrameReader {
  readonly frames: Frame[] = [];
  /** Whatever else was written. */
  readonly comments: string[] = [];
  isOver = false;
  readonly #response: IncomingMessage;
  readonly #line = new WaitingLine();
  #rest = '';

  private constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#read(text));
    response.on('close', () => {
      this.isOver = true;
      this.#line.notify();
    });
    response.on('error', () => {});
  }

  /** @param path what stands behind `/api/v1/inspect`. */
  static open(adminUrl: string, path = ''): Promise<FrameReader> {
    return new Promise((resolve, reject) => {
      const asked = request(`${adminUrl}/api/v1/inspect${path}`, { agent: false });
      onTestFinished(() => void asked.destroy());
      asked.on('error', reject);
      asked.on('response', (response) => {
        if (response.statusCode === 200) resolve(new FrameReader(response));
        else reject(new Error(`answered ${response.statusCode}`));
      });
      asked.end();
    });
  }

  /** Resolves with the first frame, of those there are and those to come, that is meant. */
  find<Found extends Frame>(isMeant: (frame: Frame) => frame is Found): Promise<Found>;
  find(isMeant: (frame: Frame) => boolean): Promise<Frame>;
  find(isMeant: (frame: Frame) => boolean): Promise<Frame> {
    return this.#line.until(
      () => this.frames.find(isMeant),
      () => (this.isOver ? new Error('the stream is over') : undefined),
    );
  }

  /** Resolves when the server has ended the stream. */
  over(): Promise<true> {
    return this.#line.until(
      () => this.isOver || undefined,
      () => undefined,
    ) as Promise<true>;
  }

  /** Reads no more, so that the server has to wait. */
  pause(): void {
    this.#response.pause();
  }

  resume(): void {
    this.#response.resume();
  }

  close(): void {
    this.#response.destroy();
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data: ')) this.frames.push(JSON.parse(line.slice(6)) as Frame);
      else if (line.startsWith(':')) this.comments.push(line);
    }
    this.#line.notify();
  }
}
