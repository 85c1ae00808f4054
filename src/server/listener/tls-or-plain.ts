/** Owns telling on one port whether a client speaks TLS, by its first byte or two. Refuses to do TLS. */
import { mayBeTls } from '../../protocol/first-bytes.js';
import type { AcceptedWire } from '../wires/wire.js';
import { PrefixReader } from './prefix-reader.js';

/** Looks at the first bytes of one connection. */
export class TlsOrPlain extends PrefixReader {
  readonly #decided: (speaksTls: boolean) => void;
  readonly #left: () => void;

  /** @param decided called once, with a wire that is not read and has every byte. Or else `left` is. */
  constructor(wire: AcceptedWire, decided: (speaksTls: boolean) => void, left: () => void) {
    super(wire);
    this.#decided = decided;
    this.#left = left;
  }

  protected override look(bytes: Buffer): void {
    const speaksTls = mayBeTls(bytes);
    if (!speaksTls || bytes.length > 1) this.finish(bytes, 0, () => this.#decided(speaksTls));
  }

  protected override onShort(bytes: Buffer): void {
    if (bytes.length > 0) this.finish(bytes, 0, () => this.#decided(false));
    else this.finish(bytes, 0, this.#left);
  }

  protected override onGone(): void {
    this.#left();
  }
}
