/**
 * Owns a WebSocket of a client that comes back when it is lost: when, how often, and what becomes of messages meanwhile. For browsers and
 * for Node.js, without a dependency. Refuses to know what is said on it.
 */

/** The part of a WebSocket that is used here: that of a browser, of Node.js 22, or of `ws`. */
export interface SocketLike {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: never): void;
  close(code?: number, reason?: string): void;
}

/** What makes a {@link SocketLike}. */
export type SocketConstructor<Socket extends SocketLike = SocketLike> = new (
  url: string,
  protocols?: string | string[],
) => Socket;

/** What can be sent. */
export type SocketData = string | ArrayBuffer | ArrayBufferView | { readonly size: number; readonly type: string };

/** Where to connect: asked anew for each attempt when it is a function. */
export type UrlSource = string | URL | (() => string | URL | Promise<string | URL>);

/** How a connection, or an attempt to get one, ended. */
export interface ClosedFacts {
  /** Of the Close frame; 1006 when there was none, for an attempt that failed as well. */
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  /**
   * Milliseconds until the next attempt; undefined when there is none: it is closed for good. A listener may set it, to decide otherwise;
   * after `close()` that has no effect.
   */
  retryIn: number | undefined;
}

/** What may be set; milliseconds. */
export interface ReconnectOptions {
  readonly protocols?: string | string[] | undefined;
  /** Default: the global one, which browsers and Node.js 22 have. Elsewhere pass that of `ws`. */
  readonly WebSocket?: SocketConstructor | undefined;
  /** The longest wait before the first attempt after a loss; it doubles with each that fails. Default: 500. */
  readonly minDelay?: number | undefined;
  /** The longest wait before any attempt. Default: 30 000. */
  readonly maxDelay?: number | undefined;
  /** How long an attempt may take, with finding out the URL. Default: 20 000. */
  readonly connectTimeout?: number | undefined;
  /** How long a connection has to last to count as stable: then the waits begin anew. Default: 10 000. */
  readonly stableAfter?: number | undefined;
  /** How many messages wait for the next connection; beyond that, and with 0, they are dropped. Default: 100. */
  readonly maxQueued?: number | undefined;
}

/** The events by name. */
export interface ReconnectEvents {
  /** There is a connection: the first one, or another one. What is sent in it goes out before messages that waited. */
  open: Event;
  message: Event & { readonly data: unknown };
  /** Something failed; `close` follows. */
  error: Event & { readonly error: unknown };
  /** Exactly once for each connection, and for each attempt to get one. The one that is left without `retryIn` is the last event. */
  close: Event & ClosedFacts;
}

/** An `EventTarget` that knows its events. */
export interface ReconnectEventTarget {
  addEventListener<Name extends keyof ReconnectEvents>(
    name: Name,
    listener: (event: ReconnectEvents[Name]) => void,
    options?: boolean | { readonly once?: boolean; readonly signal?: AbortSignal },
  ): void;
  removeEventListener<Name extends keyof ReconnectEvents>(
    name: Name,
    listener: (event: ReconnectEvents[Name]) => void,
  ): void;
  dispatchEvent(event: Event): boolean;
}

// Where it is not there, the error says so.
declare const WebSocket: SocketConstructor;

const Target = EventTarget as unknown as new () => ReconnectEventTarget;

/**
 * After a close by the other side with these codes another connection is worth a try: going away, none, lost, failed, restart, try again
 * later, bad gateway, TLS. After 1000 all is said, and after any other code (1002, 1003, 1007 to 1010, and 3000 to 4999, which are the
 * application's) the same again would be refused again.
 */
const PASSING = [1001, 1005, 1006, 1011, 1012, 1013, 1014, 1015];

/**
 * A WebSocket that comes back.
 *
 * - The wait before an attempt is random, from 0 up to a bound that doubles with each failure (full jitter), from `minDelay` to `maxDelay`.
 *   Where the reason of the Close frame says `{"retryAfterMs":…}`, as one of 1012 or 1013 does, that is the wait, up to five minutes.
 * - A message is handed to one connection at most, and never sent again: whether it arrived, the application has to say. Messages that
 *   are sent while there is no connection wait for the next one, in order, up to `maxQueued`.
 * - After {@link ReconnectingWebSocket.close}, and after a code that is final, it is closed for good, and what waited is dropped.
 */
export class ReconnectingWebSocket extends Target {
  readonly #url: UrlSource;
  readonly #options: ReconnectOptions;
  readonly #make: SocketConstructor;
  #socket: SocketLike | undefined;
  /** Of the attempt that is under way, by which it is known, or until the next one. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #queue: SocketData[] = [];
  #failures = 0;
  #openedAt = 0;
  #state: 0 | 1 | 2 | 3 = 0;

  /**
   * Begins to connect.
   *
   * @throws ReferenceError where there is no global WebSocket, and none is passed.
   */
  constructor(url: UrlSource, options: ReconnectOptions = {}) {
    super();
    this.#make = options.WebSocket ?? WebSocket;
    this.#url = url;
    this.#options = options;
    this.#connect();
  }

  /** As of a WebSocket: 0 while there is no connection yet or again, 1 open, 2 closing for good, 3 closed for good. */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#state;
  }

  /** The connection, or the attempt to get one, such as for its `protocol` or to set `binaryType` when it opens; undefined in between. */
  get socket(): SocketLike | undefined {
    return this.#socket;
  }

  /** Sends a message, or keeps it for the next connection. Answers false when it was dropped. */
  send(data: SocketData): boolean {
    const { maxQueued = 100 } = this.#options;
    // A connection may be closed by the other side before an event tells of it.
    if (this.#socket?.readyState === 1) this.#socket.send(data as never);
    else if (this.#state > 1 || this.#queue.length >= maxQueued) return false;
    else this.#queue.push(data);
    return true;
  }

  /** Closes for good. Throws what a WebSocket throws for a code or reason that may not be sent. */
  close(code = 1000, reason = ''): void {
    if (this.#state > 1) return;
    this.#socket?.close(code, reason);
    this.#state = 2;
    if (!this.#socket) this.#closed({ code, reason, wasClean: true });
  }

  async #connect(): Promise<void> {
    const { protocols, connectTimeout = 20_000 } = this.#options;
    const timer = setTimeout(() => {
      const socket = this.#socket;
      this.#closed(LOST);
      socket?.close();
    }, connectTimeout);
    this.#timer = timer;
    try {
      // Never within the constructor: nobody listens yet.
      const url = await (typeof this.#url === 'function' ? this.#url() : this.#url);
      if (this.#timer !== timer) return;
      const socket = new this.#make(String(url), protocols);
      const heard =
        <Heard>(hear: (event: Heard) => void) =>
        (event: Heard) => {
          if (this.#socket === socket) hear(event);
        };
      this.#socket = socket;
      socket.onopen = heard(() => {
        clearTimeout(timer);
        if (this.#state) return;
        this.#state = 1;
        this.#openedAt = Date.now();
        this.#tell('open', {});
        // What was sent to it so far is ahead of what waited.
        while (this.#queue.length && socket.readyState === 1) socket.send(this.#queue.shift() as never);
      });
      socket.onmessage = heard<{ data: unknown }>(({ data }) => this.#tell('message', { data }));
      socket.onerror = heard<{ error?: unknown }>(({ error }) => {
        // One that is given up while it connects fails, and not every WebSocket tells of its close then.
        if (this.#state < 2) this.#tell('error', { error });
        if (this.#state !== 1) this.#closed(LOST);
      });
      socket.onclose = heard<typeof LOST>((event) => this.#closed(event));
    } catch (error) {
      if (this.#timer === timer) this.#tell('error', { error });
      // Not if it was closed by whoever was told.
      if (this.#timer === timer) this.#closed(LOST, (error as { retryAfterMs?: number } | undefined)?.retryAfterMs);
    }
  }

  #closed({ code, reason, wasClean }: typeof LOST, hint = hintOf(reason)): void {
    const { minDelay = 500, maxDelay = 30_000, stableAfter = 10_000 } = this.#options;
    clearTimeout(this.#timer);
    this.#socket = this.#timer = undefined;
    if (this.#openedAt && Date.now() - this.#openedAt >= stableAfter) this.#failures = 0;
    this.#openedAt = 0;
    const backoff = Math.random() * Math.min(maxDelay, minDelay * 2 ** this.#failures++);
    let retryIn: number | undefined;
    if (this.#state < 2) {
      this.#state = 0;
      if (PASSING.includes(code)) retryIn = hint > 0 ? Math.min(hint, MAX_RETRY_AFTER) : backoff;
    }
    const event = this.#tell('close', { code, reason, wasClean, retryIn });
    // Whoever was told may have decided otherwise, or closed it.
    if (!this.#state && event.retryIn !== undefined) {
      this.#timer = setTimeout(() => this.#connect(), event.retryIn);
    } else {
      this.#state = 3;
      this.#queue = [];
    }
  }

  #tell<Facts extends object>(name: keyof ReconnectEvents, facts: Facts): Facts {
    const event = Object.assign(new Event(name), facts);
    this.dispatchEvent(event);
    return event;
  }
}

/** The longest wait that a server may ask for. */
const MAX_RETRY_AFTER = 300_000;

const LOST = { code: 1006, reason: '', wasClean: false };

/** What the other side wants; whatever is no number above 0 is nothing. */
function hintOf(reason: string): number {
  try {
    return JSON.parse(reason).retryAfterMs;
  } catch {
    return 0;
  }
}

/**
 * A {@link UrlSource} that asks a balancer in the mode `redirect`: each attempt goes where its answer says, and one that says when to come
 * back is heeded.
 *
 * @param url an `http:` or `https:` address.
 * @param options of `fetch`, such as `headers` or `credentials`.
 */
export function urlFrom(url: string | URL, options?: object): () => Promise<string> {
  return async () => {
    const said = (await (await fetch(url, options)).json()) as { readonly url?: string };
    if (said.url) return said.url;
    throw said;
  };
}
