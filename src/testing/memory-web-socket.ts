/**
 * Owns the speech of a WebSocket end in memory: it sends messages, fragments and control frames, right and wrong ones, and reads those
 * that come. Refuses the opening handshake; client and target each have their own.
 */
import { encodeFrame, Opcode, randomMaskKey } from '../protocol/frame.js';
import { FrameReader, type ReadFrame } from './frame-reader.js';
import { MemoryEnd } from './memory-end.js';

/** A frame that is sent as it is. */
export interface SentFrame {
  /** 0 to 15; text is 1, binary 2, Close 8, ping 9, pong 10, and 0 continues a message. */
  readonly opcode: number;
  readonly payload?: string | Uint8Array;
  /** Whether it is the last of its message. Default true. */
  readonly final?: boolean;
  /** RSV1. Default false. */
  readonly compressed?: boolean;
  /** Whether it is masked. Default: as the protocol wants it, true for a client and false for a target. */
  readonly masked?: boolean;
}

/** How an end answers by itself. */
export interface MemoryManners {
  /** Whether pings are answered. Default true. */
  readonly answersPings?: boolean | undefined;
  /** Whether a Close frame is answered with the same code and reason. Default true. */
  readonly answersClose?: boolean | undefined;
}

/** An end that speaks WebSocket. */
export abstract class MemoryWebSocket extends MemoryEnd {
  /** Whether pings are answered from now on. */
  answersPings: boolean;
  /** Whether a Close frame is answered from now on. */
  answersClose: boolean;
  protected abstract readonly masks: boolean;
  readonly #reader = new FrameReader();
  #fragments: Buffer[] = [];
  #opcode: number = Opcode.Continuation;
  #closeSent = false;

  constructor({ answersPings = true, answersClose = true }: MemoryManners) {
    super();
    this.answersPings = answersPings;
    this.answersClose = answersClose;
  }

  /** Sends one message: a string as text, bytes as binary. */
  send(message: string | Uint8Array): void {
    this.sendFrame({ opcode: typeof message === 'string' ? Opcode.Text : Opcode.Binary, payload: message });
  }

  /** Sends one message in as many frames as there are parts. Text may be cut anywhere if the parts are bytes and `kind` says so. */
  sendFragments(parts: ReadonlyArray<string | Uint8Array>, kind?: 'text' | 'binary'): void {
    const isText = kind === undefined ? typeof parts[0] === 'string' : kind === 'text';
    for (const [at, payload] of parts.entries()) {
      const opcode = at > 0 ? Opcode.Continuation : isText ? Opcode.Text : Opcode.Binary;
      this.sendFrame({ opcode, payload, final: at === parts.length - 1 });
    }
  }

  ping(payload: string | Uint8Array = ''): void {
    this.sendFrame({ opcode: Opcode.Ping, payload });
  }

  pong(payload: string | Uint8Array = ''): void {
    this.sendFrame({ opcode: Opcode.Pong, payload });
  }

  /** Sends a Close frame, and nothing else: the server ends the connection. Without a code the frame is empty. */
  close(code?: number, reason = ''): void {
    this.#closeSent = true;
    const head = Buffer.alloc(code === undefined ? 0 : 2);
    if (code !== undefined) head.writeUInt16BE(code);
    this.sendFrame({
      opcode: Opcode.Close,
      payload: Buffer.concat([head, Buffer.from(code === undefined ? '' : reason)]),
    });
  }

  /** Sends one frame, which may be wrong on purpose. */
  sendFrame({ opcode, payload = '', final = true, compressed = false, masked = this.masks }: SentFrame): void {
    const bytes = Buffer.from(payload as Uint8Array);
    const mask = masked ? { maskKey: randomMaskKey() } : {};
    this.sendBytes(encodeFrame(opcode as Opcode, bytes, { final, compressed, ...mask }));
  }

  /** Bytes of frames came. */
  protected onFrames(bytes: Buffer): void {
    for (const frame of this.#reader.push(bytes)) this.#onFrame(frame);
  }

  #onFrame(frame: ReadFrame): void {
    const { opcode, payload } = frame;
    if (opcode === Opcode.Ping) {
      this.take({ kind: 'ping', data: payload });
      // Not from within what the server does now.
      if (this.answersPings) queueMicrotask(() => this.pong(payload));
    } else if (opcode === Opcode.Pong) this.take({ kind: 'pong', data: payload });
    else if (opcode === Opcode.Close) this.#onClose(payload);
    else this.#onData(frame);
  }

  #onClose(payload: Buffer): void {
    const code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    const reason = payload.toString('utf8', 2);
    this.take({ kind: 'close', code, reason });
    if (!this.answersClose || this.#closeSent) return;
    queueMicrotask(() => this.close(code === 1005 ? undefined : code, reason));
  }

  #onData({ opcode, payload, final }: ReadFrame): void {
    if (opcode !== Opcode.Continuation) this.#opcode = opcode;
    this.#fragments.push(payload);
    if (!final) return;
    const data = this.#fragments.length === 1 ? payload : Buffer.concat(this.#fragments);
    this.#fragments = [];
    if (this.#opcode === Opcode.Text) this.take({ kind: 'text', text: data.toString('utf8') });
    else this.take({ kind: 'binary', data });
  }
}
