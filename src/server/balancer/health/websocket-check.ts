/**
 * Owns the health check by a real WebSocket: the opening handshake, a ping, its pong, and a Close frame. Refuses messages: what the
 * backend sends by itself is read and left.
 */
import { randomBytes } from 'node:crypto';
import { encodeClosePayload } from '../../../protocol/close-frame.js';
import { encodeFrame, Opcode, randomMaskKey } from '../../../protocol/frame.js';
import { FrameScanner } from '../../../protocol/frame-scanner.js';
import { abortError, badAnswer } from '../../dial/dial-error.js';
import type { DialSignal } from '../../dial/dial-signal.js';
import type { DialOptions } from '../../dial/dial-target.js';
import { dialWebSocket } from '../../dial/dial-websocket.js';
import type { WebSocketTarget } from '../../dial/target.js';
import type { Wire, WireReader } from '../../wires/wire.js';
import { cutWire } from './cut-wire.js';
import type { CheckRequest } from './http-check.js';

/** How much of the body of a refusal is read: none of it is told. */
const MAX_REFUSAL_BYTES = 1;
/** How long a backend gets to answer our Close frame, in milliseconds; it has shown that it is well. */
const CLOSE_TIMEOUT = 500;

/** Opens a WebSocket, sends a ping and waits for its pong. Passes only if the application behind the socket is alive. */
export async function checkByWebSocket(
  target: WebSocketTarget,
  dial: DialOptions,
  request: CheckRequest,
): Promise<void> {
  const answer = await dialWebSocket(target, dial, {
    path: request.path,
    headers: () => ['User-Agent', 'tidegate-health-check'],
    subprotocols: [],
    extensions: undefined,
    maxHeaderBytes: request.maxHeaderBytes,
    maxRefusalBytes: MAX_REFUSAL_BYTES,
  });
  if (answer.kind === 'refused') {
    throw badAnswer(target, `its answer was ${answer.status} ${answer.statusText}`.trimEnd());
  }
  const { wire } = answer;
  try {
    await new PingPong(target, wire, dial.signal).done;
  } finally {
    await cutWire(wire);
  }
}

/** A ping, its pong and a polite end, over a wire that was upgraded. */
class PingPong implements WireReader {
  /** Resolves when it is over, rejects unless the pong came. */
  readonly done: Promise<void>;
  readonly #target: WebSocketTarget;
  readonly #wire: Wire;
  readonly #signal: DialSignal;
  readonly #payload = randomBytes(8);
  readonly #scanner: FrameScanner;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #passed = false;
  #leaving: NodeJS.Timeout | undefined;

  constructor(target: WebSocketTarget, wire: Wire, signal: DialSignal) {
    this.#target = target;
    this.#wire = wire;
    this.#signal = signal;
    this.#scanner = new FrameScanner({
      masked: false,
      compression: false,
      maxFrameBytes: 0,
      maxMessageBytes: 0,
      maxFragments: 0,
      handler: {
        onFrameStart() {},
        onPayload() {},
        onFrameEnd() {},
        onControl: (opcode, chunk, _frameStart, start, end) => this.#onControl(opcode, chunk.subarray(start, end)),
      },
    });
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) {
      this.#onAbort();
      return;
    }
    wire.attach(this);
    this.#send(Opcode.Ping, this.#payload);
    wire.read();
  }

  onBytes(chunk: Buffer): void {
    this.#scanner.scan(chunk);
    const { violation } = this.#scanner;
    if (violation !== null) this.#fail(`instead of a pong it sent what is no frame: ${violation.message}`);
  }

  onEnd(): void {
    this.#fail('it hung up before its pong');
  }

  onDrain(): void {}

  onClosed(): void {
    this.#fail('the connection was closed before its pong');
  }

  readonly #onAbort = (): void => this.#settle(abortError(this.#target, this.#signal));

  #onControl(opcode: number, payload: Buffer): void {
    if (opcode === Opcode.Close) this.#fail('it sent a Close frame before its pong');
    else if (opcode === Opcode.Ping) this.#send(Opcode.Pong, payload);
    else if (opcode === Opcode.Pong && payload.equals(this.#payload)) this.#leave();
  }

  /** Politely: a backend that counts broken connections is not to count checks. */
  #leave(): void {
    if (this.#passed) return;
    this.#passed = true;
    this.#send(Opcode.Close, encodeClosePayload(1000, ''));
    this.#leaving = setTimeout(() => this.#settle(undefined), CLOSE_TIMEOUT);
  }

  #fail(fault: string): void {
    this.#settle(badAnswer(this.#target, fault));
  }

  /** Whatever comes after the pong, the check has passed. */
  #settle(error: unknown): void {
    clearTimeout(this.#leaving);
    this.#scanner.stop();
    this.#signal.removeEventListener('abort', this.#onAbort);
    if (this.#passed) this.#resolve();
    else this.#reject(error);
  }

  #send(opcode: number, payload: Buffer): void {
    this.#wire.write(encodeFrame(opcode, payload, { maskKey: randomMaskKey() }));
  }
}
