/** Owns finding out whether a server is there, by connecting to it again and again. Refuses to say anything to it. */
import { connect, type Socket } from 'node:net';

/** What is watched, and who is told. */
export interface PresenceOptions {
  /** `host:port` or `[v6]:port`. */
  readonly target: string;
  /** Milliseconds between two checks; one may take as long. */
  readonly interval: number;
  /** It is there, or it is not. Told when that is known, and whenever it is otherwise. Must not throw. */
  changed(isThere: boolean): void;
}

/** Checks that have to fail in a row: one may have met a full queue. */
const FAILURES = 2;

/** Watches one server. */
export class Presence {
  readonly #options: PresenceOptions;
  #timer: NodeJS.Timeout | undefined;
  #socket: Socket | undefined;
  #isThere: boolean | undefined;
  #failures = 0;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#check();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #check(): void {
    const { target, interval } = this.#options;
    const colon = target.lastIndexOf(':');
    const host = target.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
    const socket = connect({ host, port: Number(target.slice(colon + 1)) });
    this.#socket = socket;
    const done = (succeeded: boolean) => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      clearTimeout(this.#timer);
      socket.destroy();
      this.#judge(succeeded);
      this.#timer = setTimeout(() => this.#check(), interval);
    };
    this.#timer = setTimeout(() => done(false), interval);
    socket.on('connect', () => done(true));
    socket.on('error', () => done(false));
  }

  #judge(succeeded: boolean): void {
    this.#failures = succeeded ? 0 : this.#failures + 1;
    const isThere = succeeded || (this.#isThere === true && this.#failures < FAILURES);
    if (isThere === this.#isThere) return;
    this.#isThere = isThere;
    this.#options.changed(isThere);
  }
}
