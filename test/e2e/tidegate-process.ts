/**
 * Owns running the built command line as a process, and what it wrote. Everything is ended when the test that asked for it has
 * finished. Needs `npm run build`.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

const MAIN = fileURLToPath(new URL('../../dist/server/cli/main.js', import.meta.url));

/** A line of the log, as JSON. */
export type Line = Record<string, unknown>;

/** One run of the command line. */
export class Run {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly lines: Line[] = [];
  readonly texts: string[] = [];
  stderr = '';
  readonly exited: Promise<number | null>;

  constructor(argv: string[], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [MAIN, ...argv], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface({ input: this.child.stdout }).on('line', (text) => {
      this.texts.push(text);
      if (text.startsWith('{')) this.lines.push(JSON.parse(text) as Line);
    });
    this.child.stderr.on('data', (data: Buffer) => {
      this.stderr += data.toString();
    });
    // `close` comes after the last byte of output, `exit` may come before.
    this.exited = once(this.child, 'close').then(([code]) => code as number | null);
  }

  /** The first line with an event, waited for. */
  async line(event: string): Promise<Line> {
    const ended = { value: false };
    void this.exited.then(() => {
      ended.value = true;
    });
    for (;;) {
      const found = this.lines.find((one) => one.event === event);
      if (found !== undefined) return found;
      if (ended.value) throw new Error(`ended without ${event}: ${this.texts.join('\n')}\n${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async addresses(): Promise<string[]> {
    return (await this.line('ready')).addresses as string[];
  }
}

/** Starts the command line, and ends it when the test has finished. */
export function tidegate(argv: string[], env?: Record<string, string>): Run {
  const run = new Run(argv, env);
  onTestFinished(async () => {
    run.child.kill('SIGKILL');
    await run.exited;
  });
  return run;
}

/** Sends a text and answers with the message that came back. */
export async function echo(url: string, text: string): Promise<string> {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  socket.send(text);
  const [data] = (await once(socket, 'message')) as [Buffer];
  socket.close(1000);
  await once(socket, 'close');
  return data.toString();
}
