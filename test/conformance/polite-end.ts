/**
 * Owns one end that speaks WebSocket and keeps to the rules: it answers pings and Close frames, and the target's end ends
 * the connection behind the closing handshake (RFC 6455 section 7.1.1).
 */
import { type FramePeer, Opcode, type ReceivedFrame } from '../support/raw-client.js';

/** What a Close frame said, whatever it was. */
export interface SeenClose {
  readonly code: number;
  readonly reason: string;
}

export class PoliteEnd {
  /** What came, but the Close frame. */
  readonly frames: ReceivedFrame[] = [];
  closed: SeenClose | undefined;
  /** How the other side ended the connection. */
  end = '';
  readonly #peer: FramePeer;
  readonly #endsFirst: boolean;
  #closeSent: boolean;

  /** @param closeSent whether the test sends a Close frame itself, so that none is answered. */
  constructor(peer: FramePeer, role: 'client' | 'target', closeSent: boolean) {
    this.#peer = peer;
    this.#endsFirst = role === 'target';
    this.#closeSent = closeSent;
  }

  /** Resolves when the connection has ended. */
  async live(onFrame: (frame: ReceivedFrame) => void): Promise<void> {
    while (this.closed === undefined) {
      const frame = await this.#next();
      if (frame === undefined) break;
      if (frame.opcode === Opcode.Close) this.#close(frame.payload);
      else this.frames.push(frame);
      if (frame.opcode === Opcode.Ping) this.#peer.sendPong(frame.payload);
      onFrame(frame);
    }
    this.end = await this.#peer.waitForEnd();
  }

  /** Begins the closing handshake. */
  close(): void {
    this.#peer.sendClose(1000);
    this.#closeSent = true;
  }

  /** Undefined when the connection ended instead. */
  async #next(): Promise<ReceivedFrame | undefined> {
    try {
      return await this.#peer.nextFrame();
    } catch (error) {
      if (this.#peer.ended === undefined) throw error;
      return undefined;
    }
  }

  #close(payload: Buffer): void {
    this.closed =
      payload.length < 2
        ? { code: 1005, reason: '' }
        : { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
    if (!this.#closeSent) this.#peer.sendFrame({ opcode: Opcode.Close, payload });
    if (this.#endsFirst) this.#peer.end();
  }
}
