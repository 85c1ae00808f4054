/**
 * Owns a hand-written WebSocket server on bare sockets, as the target behind a proxy, that can also misbehave. Refuses to
 * answer anything but the handshake by itself, and to import the implementation under test.
 */
import { WaitingLine } from './events.js';
import { FramePeer } from './frame-peer.js';
import { acceptValue, type HeaderInput, type HttpHead, headerLines, mergeHeaderLines, readHead } from './http-head.js';
import { Listening, type ListenOptions } from './listening.js';
import type { TcpConnection } from './tcp-connection.js';

/** How a handshake is accepted. */
export interface AcceptAnswer {
  /** `first` answers with the first subprotocol offered, a name with that one. Default: none. */
  readonly subprotocol?: 'first' | (string & {});
  /** The value of Sec-WebSocket-Extensions. Default: none. */
  readonly extensions?: string;
  /** Further header fields. One with the name of a default field replaces it. */
  readonly headers?: HeaderInput;
  /** Names of default fields that are left out. */
  readonly omitHeaders?: readonly string[];
  /** Answers with a Sec-WebSocket-Accept that belongs to another key. */
  readonly wrongAccept?: boolean;
  /** Bytes sent in the same segment as the 101, such as frames of `encodeFrame`. */
  readonly firstBytes?: Uint8Array;
}

/** How a handshake is refused. */
export interface RefuseAnswer {
  readonly status: number;
  readonly statusText?: string;
  readonly headers?: HeaderInput;
  /** Sent with its Content-Length. */
  readonly body?: string;
}

/** What a {@link RawUpstream} may be told. */
export interface RawUpstreamOptions extends ListenOptions, AcceptAnswer {
  /** Refuses every handshake, or answers none (`nothing`). Default: accepts, as the other options say. */
  readonly answer?: RefuseAnswer | 'nothing';
  /** Called with each request instead of answering it: call `accept`, `refuse` or `sendRaw` of the connection, now or later. */
  readonly onUpgrade?: (requestHead: string, connection: RawPeer) => void;
}

/** The upstream's end of one connection. Frames are sent unmasked, and received ones must be masked. */
export class RawPeer extends FramePeer {
  readonly #head: HttpHead;

  constructor(connection: TcpConnection, head: HttpHead) {
    super(connection, 'upstream');
    this.#head = head;
    this.startFrames();
  }

  /** The request head as it came, with its empty line. */
  get requestHead(): string {
    return this.#head.raw;
  }

  /** Such as `GET /chat HTTP/1.1`. */
  get requestLine(): string {
    return this.#head.firstLine;
  }

  /** The request's header fields by lower-case name. */
  get headers(): Readonly<Record<string, string>> {
    return this.#head.headers;
  }

  /** Answers 101. */
  accept(options: AcceptAnswer = {}): void {
    const key = options.wrongAccept === true ? 'another key' : (this.headers['sec-websocket-key'] ?? '');
    const offered = this.headers['sec-websocket-protocol']?.split(',')[0]?.trim();
    const subprotocol = options.subprotocol === 'first' ? offered : options.subprotocol;
    const defaults = [
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${acceptValue(key)}`,
      ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
      ...(options.extensions === undefined ? [] : [`Sec-WebSocket-Extensions: ${options.extensions}`]),
    ];
    const lines = mergeHeaderLines(defaults, headerLines(options.headers), options.omitHeaders);
    const head = Buffer.from(`${['HTTP/1.1 101 Switching Protocols', ...lines].join('\r\n')}\r\n\r\n`, 'latin1');
    this.sendRaw(Buffer.concat([head, options.firstBytes ?? Buffer.alloc(0)]));
  }

  /** Answers with another status and ends the connection. */
  refuse({ status, statusText = 'Refused', headers, body = '' }: RefuseAnswer): void {
    const defaults = [`Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
    const lines = mergeHeaderLines(defaults, headerLines(headers));
    this.connection.end(`${[`HTTP/1.1 ${status} ${statusText}`, ...lines].join('\r\n')}\r\n\r\n${body}`);
  }
}

/** A WebSocket server that sends and sees single frames. */
export class RawUpstream {
  /** Such as `ws://127.0.0.1:4711`; `wss:` over TLS. */
  readonly url: string;
  readonly port: number;
  /** Every connection whose request head came, in order. */
  readonly peers: RawPeer[];
  readonly #listening: Listening;
  readonly #line: WaitingLine;
  #given = 0;

  private constructor(listening: Listening, peers: RawPeer[], line: WaitingLine, options: RawUpstreamOptions) {
    this.#listening = listening;
    this.#line = line;
    this.peers = peers;
    this.port = listening.port;
    this.url = `${options.tls === undefined ? 'ws' : 'wss'}://${options.host ?? '127.0.0.1'}:${listening.port}`;
  }

  /** Starts an upstream on a free port of 127.0.0.1. Without options it answers every handshake with a right 101. */
  static async start(options: RawUpstreamOptions = {}): Promise<RawUpstream> {
    const peers: RawPeer[] = [];
    const line = new WaitingLine();
    const take = async (connection: TcpConnection): Promise<void> => {
      // A connection that ends before its request is complete is counted in `accepted`, and no more is to be said of it.
      const head = await readHead(connection).catch(() => undefined);
      if (head === undefined) return;
      const peer = new RawPeer(connection, head);
      peers.push(peer);
      if (options.onUpgrade !== undefined) options.onUpgrade(peer.requestHead, peer);
      else if (options.answer === undefined) peer.accept(options);
      else if (options.answer !== 'nothing') peer.refuse(options.answer);
      line.notify();
    };
    const listening = await Listening.start(options, (connection) => void take(connection));
    return new RawUpstream(listening, peers, line, options);
  }

  /** How many TCP connections were ever taken, also those that sent no request. */
  get accepted(): number {
    return this.#listening.accepted;
  }

  /** How many connections are open now. */
  get openConnections(): number {
    return this.#listening.openConnections;
  }

  /** Resolves, once its request came and was answered, with the first connection that was not given yet. */
  nextConnection(): Promise<RawPeer> {
    return this.#line.until(
      () => {
        const peer = this.peers[this.#given];
        if (peer !== undefined) this.#given += 1;
        return peer;
      },
      () => undefined,
    );
  }

  /** Stops listening and leaves the connections alone: further dials are refused. */
  stopListening(): void {
    this.#listening.stopListening();
  }

  /** Cuts every connection and stops listening. */
  close(): Promise<void> {
    return this.#listening.close();
  }
}
