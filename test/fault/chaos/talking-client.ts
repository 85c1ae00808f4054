/**
 * Owns a client that talks without end, checks every answer against what it said, and comes back when it is sent away. Refuses to know
 * which backend it is on.
 */
import { randomBytes } from 'node:crypto';
import { type RawData, WebSocket } from 'ws';

/** One connection of a client, from its 101 on. */
export interface Session {
  /** Stands in the query of its handshake. */
  readonly name: string;
  sent: number;
  echoed: number;
  /** How it ended, and when; undefined while it is open. */
  end: { readonly code: number; readonly reason: string; readonly at: number } | undefined;
}

/** What a client tells. */
export interface TalkObserver {
  /** Something came that was not to come: another content, another order, once too often. */
  violated(what: string): void;
  /** A handshake was not answered with 101. */
  refused(why: string): void;
}

/** Messages that are under way at a time. */
const WINDOW = 2;
/** Milliseconds between an answer and what is said next. */
const PAUSE = 150;
/** When it comes back unless it is told otherwise. */
const SOON = 200;

/** Talks until it is stopped. */
export class TalkingClient {
  /** Every connection it had; the last one may be open. */
  readonly sessions: Session[] = [];
  readonly #name: string;
  readonly #port: number;
  readonly #observer: TalkObserver;
  readonly #timers = new Set<NodeJS.Timeout>();
  #pending: { readonly data: Buffer; readonly binary: boolean }[] = [];
  #socket: WebSocket | undefined;
  #isQuiet = false;
  #isOver = false;

  constructor(name: string, port: number, observer: TalkObserver) {
    this.#name = name;
    this.#port = port;
    this.#observer = observer;
  }

  /** The connection it has; undefined while it has none. */
  get session(): Session | undefined {
    const last = this.sessions.at(-1);
    return last?.end === undefined ? last : undefined;
  }

  /** Says nothing more, also when it comes back. */
  fallSilent(): void {
    this.#isQuiet = true;
  }

  /** Whether everything it said in this connection was answered. */
  get isAnswered(): boolean {
    return this.session !== undefined && this.#pending.length === 0;
  }

  /** Leaves in order, and does not come back. */
  leave(): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#socket?.close(1000);
  }

  /** Connects, and talks from then on. */
  connect(): void {
    const name = `${this.#name}.${this.sessions.length}`;
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/?session=${name}`, { perMessageDeflate: false });
    this.#socket = socket;
    let session: Session | undefined;
    socket.on('open', () => {
      session = { name, sent: 0, echoed: 0, end: undefined };
      this.sessions.push(session);
      this.#pending = [];
      for (let at = 0; at < WINDOW; at += 1) this.#say(socket, session);
    });
    socket.on('message', (data, binary) => {
      if (session !== undefined) this.#heard(socket, session, data, binary);
    });
    socket.on('error', (error) => {
      if (session === undefined && !this.#isOver) this.#observer.refused(`${name}: ${error.message}`);
    });
    socket.on('close', (code, reason) => {
      if (session !== undefined) session.end = { code, reason: reason.toString(), at: performance.now() };
      if (!this.#isOver) this.#later(delayOf(reason.toString()), () => this.connect());
    });
  }

  #heard(socket: WebSocket, session: Session, data: RawData, binary: boolean): void {
    const expected = this.#pending.shift();
    const came = data as Buffer;
    session.echoed += 1;
    if (expected === undefined || !expected.data.equals(came) || expected.binary !== binary) {
      const [said, heard] = [expected?.data, came].map((one) => one?.toString('latin1').slice(0, 40));
      this.#observer.violated(`${session.name}: said ${said}, heard ${heard}`);
    }
    this.#later(PAUSE * (0.5 + Math.random()), () => this.#say(socket, session));
  }

  #say(socket: WebSocket, session: Session): void {
    if (this.#isQuiet || socket.readyState !== WebSocket.OPEN) return;
    session.sent += 1;
    const binary = session.sent % 3 === 0;
    // Most are small; some come in several pieces.
    const size = session.sent % 40 === 0 ? 30_000 : Math.floor(Math.random() * 300);
    const data = Buffer.from(`${session.name} ${session.sent} ${randomBytes(size).toString('base64')}`);
    this.#pending.push({ data, binary });
    socket.send(data, { binary });
  }

  #later(delay: number, what: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      what();
    }, delay);
    this.#timers.add(timer);
  }
}

/** When a client that was sent away is to come back, in milliseconds. */
function delayOf(reason: string): number {
  try {
    return Number(JSON.parse(reason).retryAfterMs);
  } catch {
    return SOON;
  }
}
