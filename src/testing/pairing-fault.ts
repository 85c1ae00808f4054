/** Owns what the order of callbacks has to be, whatever happens to a connection. Refuses to know why one came. */
import type { RecordedCall } from './recording-receiver.js';

/** Finds the first callback that breaks the contract of a receiver (`onOpen` at most once, `onClosed` last, …); undefined for none. */
export function pairingFault(calls: readonly RecordedCall[]): string | undefined {
  let phase: 'new' | 'asked' | 'open' | 'closed' = 'new';
  let throttled = false;
  for (const { callback } of calls) {
    if (phase === 'closed') return `${callback} came after onClosed`;
    if (callback === 'onUpgradeRequest') {
      if (phase !== 'new') return 'onUpgradeRequest came twice';
      phase = 'asked';
    } else if (callback === 'onOpen') {
      if (phase !== 'asked') return phase === 'new' ? 'onOpen came before onUpgradeRequest' : 'onOpen came twice';
      phase = 'open';
    } else if (phase !== 'open') {
      return `${callback} came before onOpen`;
    } else if (callback === 'onClosed') {
      phase = 'closed';
    } else if (callback === 'onThrottled' || callback === 'onUnthrottled') {
      if (throttled === (callback === 'onThrottled')) return `${callback} came twice in a row`;
      throttled = !throttled;
    }
  }
  return undefined;
}
