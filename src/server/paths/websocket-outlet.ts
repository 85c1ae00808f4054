/**
 * Owns the order of frames on one wire: frames that are passed on verbatim, our own messages between two messages, our
 * own control frames between two frames, and one Close frame behind everything. Refuses to compress or to read.
 */
import { Buffer } from 'node:buffer';
import { encodeClosePayload } from '../../protocol/close-frame.js';
import { encodeFrame, frameHeaderLength, Opcode, randomMaskKey, writeFrameHeader } from '../../protocol/frame.js';
import type { CloseStatus, SendResult } from '../../receivers/index.js';
import { SendQueue } from '../shaping/send-queue.js';
import { placeOf, SHARED_MEMORY } from '../wires/read-buffer.js';
import type { Wire } from '../wires/wire.js';
import { Outlet, type OutletLimits, type OutletOwner } from './outlet.js';
import type { PressureWatch } from './pressure-watch.js';

/** Where a run of forwarded bytes may be cut to put something in; -1 for nowhere. */
export interface Boundaries {
  /** The last end of a frame in the run. */
  frame: number;
  /** The last end of a message in the run. */
  message: number;
  /** The run ends inside a frame, or inside a message. */
  insideFrame: boolean;
  insideMessage: boolean;
}

const NONE: readonly Buffer[] = [];

/** The writing side of a WebSocket. */
export class WebSocketOutlet extends Outlet {
  /** Bytes of messages that wait for compression or are in it, and come here next. */
  compressing = 0;
  /** Control frames that were put here. */
  controls = 0;
  /** Who compresses, told when there is room for more. */
  feeder: { onRoom(): void } | undefined;
  readonly #masked: boolean;
  #insideFrame = false;
  #insideMessage = false;
  #sourceEnded = false;
  // Nothing waits most of the time, and two arrays for each connection add up.
  #controls: Buffer[] | undefined;
  #controlWaited = false;
  #messages: SendQueue<Buffer> | undefined;
  /** Without the messages. */
  #queuedBytes = 0;
  /** The payload of the last ping that was not answered yet. */
  #pong: Buffer | undefined;
  #close: Buffer | undefined;
  #closed = false;
  #afterClose: (() => void) | undefined;

  /** @param masked whether we are the client on this wire (RFC 6455 section 5.3). */
  constructor(wire: Wire, masked: boolean, owner: OutletOwner, watch: PressureWatch, limits: OutletLimits) {
    super(wire, owner, watch, limits);
    this.#masked = masked;
  }

  /** True once a Close frame was asked for: nothing more is accepted. */
  get closing(): boolean {
    return this.#closed || this.#close !== undefined;
  }

  override get bufferedBytes(): number {
    return this.compressing + this.#waitingBytes + this.wire.bufferedBytes;
  }

  /** Passes on `bytes[start, end)` as they are. Answers whether the feeder may go on. */
  forward(bytes: Buffer, start: number, end: number, at: Boundaries): boolean {
    if (this.#closed) return true;
    let from = start;
    const place = this.#placeIn(at);
    if (place >= start) {
      if (place > start) this.write(bytes, start, place);
      from = place;
      this.#insideFrame = false;
      this.#insideMessage = place !== at.message;
      this.#flush();
      if (this.#closed) return true;
    }
    this.#insideFrame = at.insideFrame;
    this.#insideMessage = at.insideMessage;
    if (from < end) this.write(bytes, from, end);
    this.#flush();
    return !this.blocked;
  }

  /**
   * Nothing more will be passed on, so that a message that is not complete stays so. Between two of its frames a Close may
   * still go; inside of one there is no place for it any more, and the wire is cut instead of waiting in vain.
   */
  sourceEnded(): void {
    this.#sourceEnded = true;
    this.#flush();
  }

  /** The messages that wait; none has begun. */
  get queue(): SendQueue<Buffer> | undefined {
    return this.#messages;
  }

  /** Sends a frame of our own, whole, between two messages. @param level in which order those leave that wait. */
  message(frame: Buffer, level = 0, own?: number): SendResult {
    if (this.closing || this.wire.closed) return 'closed';
    // Behind a full wire they wait here and not in the socket, so that what the peer takes shows as progress.
    if (this.mustWait) {
      this.#messages ??= new SendQueue();
      this.#messages.push(frame, frame.length, level, own);
      return 'queued';
    }
    return this.write(frame) ? 'accepted' : 'queued';
  }

  /**
   * Sends bytes of the last read as one whole data frame, with its header written in front of them where they lie. False when it
   * has to wait, or the bytes lie elsewhere: then nothing was sent.
   */
  frameInPlace(opcode: number, payload: Buffer): boolean {
    const place = placeOf(payload);
    if (place < 0 || this.#masked || this.mustWait || this.closing) return false;
    const { length } = payload;
    const start = place - frameHeaderLength(length, false);
    writeFrameHeader(SHARED_MEMORY, start, { opcode, final: true, compressed: false, length });
    this.write(SHARED_MEMORY, start, place + length);
    return true;
  }

  /** Sends a large payload as one whole data frame, copied only when it has to wait. */
  largeMessage(opcode: number, payload: Buffer): void {
    const header = Buffer.allocUnsafe(frameHeaderLength(payload.length, false));
    writeFrameHeader(header, 0, { opcode, final: true, compressed: false, length: payload.length });
    if (this.mustWait) {
      this.message(Buffer.concat([header, payload]));
      return;
    }
    this.cork();
    this.write(header);
    this.write(payload);
    this.uncork();
  }

  /** Sends a ping or pong of our own, between two frames. */
  control(opcode: number, payload: Buffer): SendResult {
    if (this.closing || this.wire.closed) return 'closed';
    const frame = this.encode(opcode, payload);
    this.controls += 1;
    if (this.#insideFrame) {
      this.#controls ??= [];
      this.#controls.push(frame);
      this.#queuedBytes += frame.length;
      this.#controlWaited = true;
      return 'queued';
    }
    const room = this.writeControl(frame);
    if (!room) this.#controlWaited ||= this.holdsControl;
    return room ? 'accepted' : 'queued';
  }

  /** True when a control frame had to wait for the end of another frame since the last call. */
  takeControlWait(): boolean {
    const waited = this.#controlWaited;
    this.#controlWaited = this.#controls !== undefined || this.holdsControl;
    return waited;
  }

  /**
   * Answers a ping. While the wire is full only the last one is answered (RFC 6455 section 5.5.3), so that the pongs for a
   * peer that sends pings and reads nothing do not pile up.
   */
  pong(payload: Buffer): void {
    if (this.blocked) this.#pong = payload;
    else this.control(Opcode.Pong, payload);
  }

  protected override writable(): void {
    const payload = this.#pong;
    this.#pong = undefined;
    if (payload !== undefined) this.control(Opcode.Pong, payload);
    this.#flush();
    this.feeder?.onRoom();
  }

  /** Sends a Close frame behind everything that waits; nothing follows it. */
  close(code: CloseStatus, reason: string): void {
    if (this.closing) return;
    this.#close = this.encode(Opcode.Close, encodeClosePayload(code, reason));
    this.#queuedBytes += this.#close.length;
    this.#flush();
    // Whoever feeds this outlet has to go on reading, to find the peer's answer.
    this.owner.onDrained();
  }

  /** The Close frame is with the wire. */
  get closeWritten(): boolean {
    return this.#closed;
  }

  /** Calls once the Close frame is with the wire; at once when it is. */
  whenClosed(call: () => void): void {
    if (this.#closed) call();
    else this.#afterClose = call;
  }

  /** Encodes a data frame for this wire. */
  encode(opcode: number, payload: Uint8Array, final = true, compressed = false): Buffer {
    return encodeFrame(opcode, payload, { final, compressed, maskKey: this.#masked ? randomMaskKey() : undefined });
  }

  /** Whether a message of our own has to wait its turn. */
  get mustWait(): boolean {
    return this.#insideMessage || this.#waits || this.blocked;
  }

  get #waits(): boolean {
    return this.#messages !== undefined && this.#messages.size > 0;
  }

  get #waitingBytes(): number {
    return this.#queuedBytes + (this.#messages?.bytes ?? 0);
  }

  /** Where in a run what waits may go in; -1 for nowhere. */
  #placeIn(at: Boundaries): number {
    if (this.#queuedBytes === 0 && !this.#waits) return -1;
    if (this.#waits && at.message >= 0) return at.message;
    const betweenFrames = this.#controls !== undefined || (this.#close !== undefined && !this.#waits);
    return betweenFrames ? at.frame : -1;
  }

  #flush(): void {
    if (this.#insideFrame && this.#sourceEnded && this.#close !== undefined) this.wire.terminate();
    const nothing = this.#queuedBytes === 0 && !this.#waits;
    if (nothing || this.#insideFrame || (this.blocked && this.#controls === undefined)) return;
    this.cork();
    const controls = this.#controls ?? NONE;
    this.#controls = undefined;
    for (const frame of controls) {
      this.#queuedBytes -= frame.length;
      this.writeControl(frame);
    }
    while (!this.#insideMessage && !this.blocked && this.#messages !== undefined) {
      const frame = this.#messages.shift();
      if (frame === undefined) this.#messages = undefined;
      else this.write(frame);
    }
    const nothingBefore = !this.#waits || (this.#insideMessage && this.#sourceEnded);
    if (this.#close !== undefined && nothingBefore && !this.blocked) {
      this.#queuedBytes -= this.#close.length;
      this.write(this.#close);
      this.#close = undefined;
      this.#closed = true;
      this.controls += 1;
    }
    this.uncork();
    this.levelFell();
    if (this.#closed) this.#afterClose?.();
  }
}
