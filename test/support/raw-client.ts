/**
 * Owns a hand-written WebSocket client on a bare socket, that can also misbehave. Refuses to answer anything by itself
 * and to import the implementation under test.
 */
import { randomBytes } from 'node:crypto';
import { FramePeer } from './frame-peer.js';
import { acceptValue, type HeaderInput, headerLines, mergeHeaderLines, readBody, readHead } from './http-head.js';
import { connectTcp, type DialOptions, type SocketEnding, type TcpConnection } from './tcp-connection.js';

export { FramePeer, type ReceivedMessage } from './frame-peer.js';
export { closePayload, encodeFrame, type FrameSpec, Opcode, type ReceivedClose, type ReceivedFrame } from './frames.js';

/** What a handshake is made of. */
export interface RawClientOptions extends DialOptions {
  /** The request target. Default `/`. */
  readonly path?: string;
  /** Default `GET`. */
  readonly method?: string;
  /** Further header fields. One with the name of a default field (such as `Host` or `Sec-WebSocket-Key`) replaces it. */
  readonly headers?: HeaderInput;
  /** Names of default fields that are left out, such as `Upgrade`. */
  readonly omitHeaders?: readonly string[];
  readonly subprotocols?: readonly string[];
  /** The value of Sec-WebSocket-Extensions. */
  readonly extensions?: string;
  /** Bytes sent in the same segment as the handshake. */
  readonly head?: Uint8Array;
  /** The whole request instead of the one these options describe. */
  readonly rawRequest?: string | Uint8Array;
}

/** The answer to a handshake. */
export interface HandshakeAnswer {
  readonly status: number;
  readonly statusText: string;
  /** By lower-case name; fields that came more than once are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The field lines in order, as they came. */
  readonly headerLines: readonly string[];
  /** The head as it came. */
  readonly head: string;
  /** Empty for a 101. */
  readonly body: string;
  /** Whether Sec-WebSocket-Accept belongs to the key that was sent. */
  readonly acceptIsRight: boolean;
  /** The open connection after a 101. */
  readonly client: RawClient | undefined;
  /** Resolves when the server ended the connection, with how. After another status than 101 this side ends it too. */
  waitForEnd(): Promise<SocketEnding>;
}

/** A WebSocket client that sends and sees single frames. */
export class RawClient extends FramePeer {
  /** The answer to its handshake. */
  readonly answer: HandshakeAnswer;

  private constructor(connection: TcpConnection, answer: Omit<HandshakeAnswer, 'client'>) {
    super(connection, 'client');
    this.answer = { ...answer, client: this };
    this.startFrames();
  }

  /** The subprotocol of the 101, or an empty string. */
  get subprotocol(): string {
    return this.answer.headers['sec-websocket-protocol'] ?? '';
  }

  /**
   * Connects, sends the handshake and resolves with the answer, whatever its status, after its whole body. Rejects when
   * the connection cannot be made or ends before the answer is complete.
   */
  static async handshake(options: RawClientOptions): Promise<HandshakeAnswer> {
    const key = randomBytes(16).toString('base64');
    const connection = await connectTcp({ allowHalfOpen: false, ...options });
    try {
      connection.write(Buffer.concat([requestBytes(options, key), options.head ?? Buffer.alloc(0)]));
      return await readAnswer(connection, keyOf(options) ?? key, (answer) => new RawClient(connection, answer));
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  /** The same as {@link RawClient.handshake}. */
  static connect(options: RawClientOptions): Promise<HandshakeAnswer> {
    return RawClient.handshake(options);
  }

  /** Opens a connection. @throws Error for another status than 101, or a wrong Sec-WebSocket-Accept. */
  static async open(options: RawClientOptions): Promise<RawClient> {
    const answer = await RawClient.handshake(options);
    if (answer.client === undefined) {
      throw new Error(`the handshake was answered ${answer.status} ${answer.statusText}: ${answer.body}`);
    }
    if (!answer.acceptIsRight) {
      answer.client.destroy();
      throw new Error(`Sec-WebSocket-Accept is wrong: ${answer.headers['sec-websocket-accept'] ?? 'missing'}`);
    }
    return answer.client;
  }
}

/** Gives the bytes of the handshake that the options describe, to be sent by hand in pieces over a `connectTcp`. */
export function requestBytes(options: RawClientOptions, key = randomBytes(16).toString('base64')): Buffer {
  if (options.rawRequest !== undefined) return Buffer.from(options.rawRequest);
  const { host = '127.0.0.1', port, subprotocols = [], extensions } = options;
  const defaults = [
    `Host: ${host.includes(':') ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    ...(subprotocols.length > 0 ? [`Sec-WebSocket-Protocol: ${subprotocols.join(', ')}`] : []),
    ...(extensions === undefined ? [] : [`Sec-WebSocket-Extensions: ${extensions}`]),
  ];
  const lines = mergeHeaderLines(defaults, headerLines(options.headers), options.omitHeaders);
  const first = `${options.method ?? 'GET'} ${options.path ?? '/'} HTTP/1.1`;
  return Buffer.from(`${[first, ...lines].join('\r\n')}\r\n\r\n`, 'latin1');
}

/** The key that the given headers or the raw request carry instead of ours. */
function keyOf(options: RawClientOptions): string | undefined {
  const text =
    options.rawRequest === undefined ? requestBytes(options, '').toString('latin1') : `${options.rawRequest}`;
  return /^sec-websocket-key:[ \t]*(\S+)/im.exec(text)?.[1];
}

async function readAnswer(
  connection: TcpConnection,
  key: string,
  open: (answer: Omit<HandshakeAnswer, 'client'>) => RawClient,
): Promise<HandshakeAnswer> {
  const head = await readHead(connection);
  const match = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(head.firstLine);
  if (match === null) throw new Error(`the answer is not HTTP: ${JSON.stringify(head.firstLine)}`);
  const status = Number(match[1]);
  const body = await readBody(connection, status, head);
  const answer = {
    status,
    statusText: match[2] ?? '',
    headers: head.headers,
    headerLines: head.lines,
    head: head.raw,
    body: body.toString(),
    acceptIsRight: head.headers['sec-websocket-accept'] === acceptValue(key),
    waitForEnd: () => connection.waitForEnd(),
  };
  if (status === 101) return open(answer).answer;
  connection.end();
  return { ...answer, client: undefined };
}
