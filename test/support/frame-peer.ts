/**
 * Owns one end of an open WebSocket connection as a test holds it: frames out, frames in, and how it ended. Refuses to
 * answer anything by itself: no pong, no Close, nothing.
 */
import type { Socket } from 'node:net';
import { WaitingLine } from './events.js';
import {
  closePayload,
  decodeText,
  describeFrame,
  encodeFrame,
  FrameParser,
  type FrameSpec,
  Opcode,
  parseClose,
  type ReceivedClose,
  type ReceivedFrame,
} from './frames.js';
import type { SocketEnding, TcpConnection } from './tcp-connection.js';

/** A whole message, put together from its fragments. */
export interface ReceivedMessage {
  readonly kind: 'text' | 'binary';
  /** The payload as it came: still compressed when `rsv1` is set. */
  readonly data: Buffer;
  /** The payload as text; an error is thrown when it is not UTF-8. */
  readonly text: string;
  /** Whether the first frame had RSV1 set (permessage-deflate). */
  readonly rsv1: boolean;
  /** Of how many frames it was made. */
  readonly frames: number;
}

/** One end of a WebSocket connection. A client masks what it sends and wants unmasked frames; an upstream the reverse. */
export class FramePeer {
  /** Every frame that came, in order, also those that were skipped while waiting for another one. */
  readonly received: ReceivedFrame[] = [];
  /** The byte connection under the frames. */
  readonly connection: TcpConnection;

  readonly #isClient: boolean;
  readonly #parser = new FrameParser();
  readonly #line = new WaitingLine();
  #unread: ReceivedFrame[] = [];

  constructor(connection: TcpConnection, role: 'client' | 'upstream') {
    this.connection = connection;
    this.#isClient = role === 'client';
  }

  /** Reads frames from here on, beginning with what came together with the handshake. */
  protected startFrames(): void {
    this.connection.deliverTo(
      (chunk) => {
        for (const frame of this.#parser.push(chunk)) {
          this.received.push(frame);
          this.#unread.push(frame);
        }
        this.#line.notify();
      },
      () => this.#line.notify(),
    );
  }

  get socket(): Socket {
    return this.connection.socket;
  }

  /** How the connection ended; `destroyed` when this side cut it; undefined while it stands. */
  get ended(): SocketEnding | 'destroyed' | undefined {
    return this.connection.ended;
  }

  /** Everything that arrived, in bytes, with the handshake. */
  get bytesReceived(): number {
    return this.connection.bytesReceived;
  }

  /** Bytes that arrived of a frame that is not complete yet. */
  get incompleteBytes(): number {
    return this.#parser.incompleteBytes;
  }

  /** Sends one frame, right or wrong. Like every method that sends: false when the socket asks to wait for `drained`. */
  sendFrame(spec: FrameSpec): boolean {
    return this.sendRaw(this.encode(spec));
  }

  /** Gives the bytes of a frame as this side would send it, to be cut or joined with others. */
  encode(spec: FrameSpec): Buffer {
    return encodeFrame({ masked: this.#isClient, ...spec });
  }

  sendText(text: string): boolean {
    return this.sendFrame({ opcode: Opcode.Text, payload: text });
  }

  sendBinary(data: Uint8Array): boolean {
    return this.sendFrame({ opcode: Opcode.Binary, payload: data });
  }

  sendPing(payload: string | Uint8Array = ''): boolean {
    return this.sendFrame({ opcode: Opcode.Ping, payload });
  }

  sendPong(payload: string | Uint8Array = ''): boolean {
    return this.sendFrame({ opcode: Opcode.Pong, payload });
  }

  /** Sends a Close frame, empty without a code. Any number is sent. */
  sendClose(code?: number, reason?: string): boolean {
    return this.sendFrame({ opcode: Opcode.Close, payload: closePayload(code, reason) });
  }

  /** Sends bytes as they are. */
  sendRaw(bytes: string | Uint8Array): boolean {
    return this.connection.write(bytes);
  }

  /** Resolves when everything sent is with the operating system. */
  drained(): Promise<void> {
    return this.connection.drained();
  }

  /**
   * Resolves with the next frame; with an opcode given, with the next frame of that kind, skipping others. Rejects when
   * the connection ends before, and for a frame whose masking is wrong for its direction (RFC 6455 section 5.1).
   */
  nextFrame(opcode?: number): Promise<ReceivedFrame> {
    return this.#line.until(
      () => {
        for (let frame = this.#unread.shift(); frame !== undefined; frame = this.#unread.shift()) {
          if (frame.masked === this.#isClient) {
            throw new Error(`${describeFrame(frame)} was ${frame.masked ? '' : 'not '}masked`);
          }
          if (opcode === undefined || frame.opcode === opcode) return frame;
        }
        return undefined;
      },
      () => this.#failure(opcode === undefined ? 'a frame came' : `a frame with opcode ${opcode} came`),
    );
  }

  /** Resolves with the next whole message, skipping pings and pongs. Rejects for a Close frame, or when the connection ends before. */
  async nextMessage(): Promise<ReceivedMessage> {
    const frames: ReceivedFrame[] = [];
    for (;;) {
      const frame = await this.nextFrame();
      if (frame.opcode === Opcode.Close) throw new Error(`instead of a message came ${describeFrame(frame)}`);
      if (frame.opcode === Opcode.Ping || frame.opcode === Opcode.Pong) continue;
      if ((frame.opcode === Opcode.Continuation) !== frames.length > 0) {
        throw new Error(`${describeFrame(frame)} came out of order, after ${frames.length} frames of a message`);
      }
      frames.push(frame);
      if (frame.fin) return wholeMessage(frames);
    }
  }

  /** Resolves with the text of the next message; rejects when it is a binary one. */
  async nextText(): Promise<string> {
    const message = await this.nextMessage();
    if (message.kind !== 'text') throw new Error(`instead of a text came ${message.data.length} bytes of binary`);
    return message.text;
  }

  /** Resolves with the bytes of the next message; rejects when it is a text. */
  async nextBinary(): Promise<Buffer> {
    const message = await this.nextMessage();
    if (message.kind !== 'binary') throw new Error(`instead of binary came the text ${JSON.stringify(message.text)}`);
    return message.data;
  }

  /** Resolves with what the next Close frame says, skipping everything before it; it is not answered. */
  async expectClose(): Promise<ReceivedClose> {
    return parseClose((await this.nextFrame(Opcode.Close)).payload);
  }

  /**
   * Waits for a Close frame, answers it with the same code and reason, and waits for the end: what a polite side does
   * when the other one begins.
   */
  async answerClose(): Promise<ReceivedClose & { readonly end: SocketEnding }> {
    const { payload } = await this.nextFrame(Opcode.Close);
    this.sendFrame({ opcode: Opcode.Close, payload });
    return { ...parseClose(payload), end: await this.waitForEnd() };
  }

  /** Resolves when the other side ended the TCP connection, with how. While reading is paused no end is seen. */
  waitForEnd(): Promise<SocketEnding> {
    return this.connection.waitForEnd();
  }

  /** Stops reading, so that the other side's writes pile up. What has arrived can still be taken. */
  pauseReading(): void {
    this.connection.pauseReading();
  }

  resumeReading(): void {
    this.connection.resumeReading();
  }

  /** From here on what comes is only counted, in `bytesReceived`: for floods. No frame is seen any more. */
  discard(): void {
    this.connection.discard();
  }

  /** Sends an RST. */
  reset(): void {
    this.connection.reset();
  }

  /** Sends a FIN, without a Close frame. */
  end(): void {
    this.connection.end();
  }

  /** Cuts the connection. */
  destroy(): void {
    this.connection.destroy();
  }

  #failure(awaited: string): Error | undefined {
    const error = this.connection.failure(awaited);
    if (error === undefined) return undefined;
    const frames = this.received.slice(-5).map(describeFrame).join(', ');
    const incomplete = this.incompleteBytes === 0 ? '' : `, and ${this.incompleteBytes} bytes of another`;
    return new Error(
      `${error.message}; ${this.received.length} frames came, the last: ${frames || 'none'}${incomplete}`,
    );
  }
}

function wholeMessage(frames: readonly ReceivedFrame[]): ReceivedMessage {
  const data = frames.length === 1 ? frames[0]!.payload : Buffer.concat(frames.map((frame) => frame.payload));
  return {
    kind: frames[0]!.opcode === Opcode.Text ? 'text' : 'binary',
    data,
    get text() {
      return decodeText(data);
    },
    rsv1: frames[0]!.rsv1,
    frames: frames.length,
  };
}
