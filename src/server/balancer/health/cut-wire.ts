/** Owns how the wire of a health check ends. Refuses to be polite. */
import type { Wire } from '../../wires/wire.js';

/** Cuts a wire. Resolves when it is gone, so that whoever waits for the check has waited for its socket. */
export function cutWire(wire: Wire): Promise<void> {
  if (wire.closed) return Promise.resolve();
  return new Promise((resolve) => {
    wire.attach({ onBytes() {}, onEnd() {}, onDrain() {}, onClosed: () => resolve() });
    wire.terminate();
  });
}
