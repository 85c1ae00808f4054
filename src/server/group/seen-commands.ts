/** Owns which commands were seen, so that none is carried out twice, nor after a later one of its origin. Refuses to carry them out. */
import type { GroupCommand } from '../../protocol/control/messages.js';

/** How many origins are remembered. */
const MAX_ORIGINS = 10_000;
/** How many starts of each. */
const MAX_EPOCHS = 4;

/** The commands that one member has seen: of each start of each origin, the last one. */
export class SeenCommands {
  readonly #origins = new Map<string, Map<string, number>>();

  /** Whether a command is new; it is not any more after that. */
  take({ origin, epoch, sequence }: Pick<GroupCommand, 'origin' | 'epoch' | 'sequence'>): boolean {
    const epochs = this.#origins.get(origin) ?? new Map<string, number>();
    const last = epochs.get(epoch);
    if (last !== undefined && sequence <= last) return false;
    // Who spoke last is forgotten last.
    putLast(epochs, epoch, sequence, MAX_EPOCHS);
    putLast(this.#origins, origin, epochs, MAX_ORIGINS);
    return true;
  }
}

function putLast<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
