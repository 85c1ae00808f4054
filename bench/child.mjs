/** Owns a child process that answers requests, one reply for each. Refuses to know what they mean. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A forked script of this folder. */
export class Child {
  #process;
  #asked = new Map();
  #next = 0;
  #ready;

  /**
   * @param {string} file
   * @param {readonly string[]} args
   * @param {readonly string[]} execArgv
   */
  constructor(file, args = [], execArgv = []) {
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), [...args], { execArgv: [...execArgv] });
    this.#ready = new Promise((resolve, reject) => {
      this.#process.on('message', (message) => {
        if (message.ready) resolve(message);
        else this.#answered(message);
      });
      this.#process.on('exit', (code) => {
        const error = new Error(`${file} ${args.join(' ')} ended with ${code}`);
        reject(error);
        for (const { reject: fail } of this.#asked.values()) fail(error);
      });
    });
    this.#ready.catch(() => {});
  }

  /** Resolves with what the child said first. */
  ready() {
    return this.#ready;
  }

  /** @param {object} request */
  ask(request) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#process.send({ ...request, id });
    });
  }

  async stop() {
    if (this.#process.exitCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.disconnect();
    await exited;
  }

  #answered({ id, result, error }) {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (error === undefined) asked?.resolve(result);
    else asked?.reject(new Error(error));
  }
}
