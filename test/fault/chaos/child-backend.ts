/** Owns a backend in a process of its own, and everything that may happen to one. Refuses to outlive its test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { Given } from '../../server/stage.js';
import { waitForEvent } from '../../support/events.js';

const PROGRAM = fileURLToPath(new URL('./echo-backend.mjs', import.meta.url));

/** A process that echoes. */
export class ChildBackend {
  readonly id: string;
  port = 0;
  #child: ChildProcess | undefined;
  #lines = new Given<string>();

  private constructor(id: string) {
    this.id = id;
  }

  /** Starts one on a free port. */
  static async start(id: string): Promise<ChildBackend> {
    const backend = new ChildBackend(id);
    onTestFinished(() => backend.kill());
    await backend.run();
    return backend;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Runs the program, where it ran before if it did. Resolves when it listens. */
  async run(): Promise<void> {
    const child = spawn(process.execPath, [PROGRAM, String(this.port)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#lines = new Given<string>();
    const lines = this.#lines;
    createInterface({ input: child.stdout }).on('line', (line) => lines.add(line));
    this.port = Number(await lines.next());
  }

  /** SIGKILL: its sockets are closed by the system. Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = waitForEvent(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  /** SIGSTOP: its system still accepts for it, and nobody answers. */
  hang(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** SIGCONT. */
  goOn(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Cuts everybody off and listens no more. */
  async down(): Promise<void> {
    this.#child?.stdin?.write('down\n');
    await this.#lines.next();
  }

  /** Listens again. */
  async up(): Promise<void> {
    this.#child?.stdin?.write('up\n');
    await this.#lines.next();
  }
}
