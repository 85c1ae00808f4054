/** Owns one process of the benchmark of attacks: pinned to a core, asked over a channel, gone with it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A process of the benchmark, pinned to a core. */
export class Child {
  #process;
  #messages = [];
  #waiting;

  static async start(core, file, args, { nice = 0, node = [], env = {} } = {}) {
    const child = new Child();
    const command = [
      '-c',
      String(core),
      'nice',
      '-n',
      String(nice),
      process.execPath,
      ...node,
      fileURLToPath(new URL(file, import.meta.url)),
      ...args,
    ];
    child.#process = spawn('taskset', command, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.exited = once(child.#process, 'exit');
    child.#process.on('message', (message) => {
      if (child.#waiting === undefined) child.#messages.push(message);
      else child.#waiting(message);
      child.#waiting = undefined;
    });
    const ready = await Promise.race([child.#next(), child.exited.then(() => undefined)]);
    if (ready === undefined) throw new Error(`${file} did not start`);
    child.port = ready.port;
    return child;
  }

  get pid() {
    return this.#process.pid;
  }

  /** What it has counted since it was asked last. */
  ask() {
    const answer = this.#next();
    this.#process.send('tell');
    return answer;
  }

  /** Begins to watch its resident memory; the function answers with the most it had, in bytes. */
  peak() {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
    return () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]) * 1024;
  }

  async stop() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.disconnect();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5000);
    await this.exited;
    clearTimeout(timer);
  }

  #next() {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    return new Promise((answer) => {
      this.#waiting = answer;
    });
  }
}
