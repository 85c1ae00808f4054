/** Owns the signal of a decision: there is one only for whoever asks, and it says the same whenever it is asked for. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DecisionSignal } from '../../../src/server/handshake/decision-signal.js';

const reason = new Error('the client left');

describe('the signal of a decision', () => {
  it('aborts with the reason, whether it was asked for before or after', () => {
    const before = new DecisionSignal();
    const { signal } = before;
    expect(signal.aborted).toBe(false);
    before.abort(reason);
    const after = new DecisionSignal();
    after.abort(reason);
    for (const one of [signal, before.signal, after.signal]) {
      expect([one.aborted, one.reason]).toEqual([true, reason]);
    }
  });

  it('is one and the same', () => {
    const decision = new DecisionSignal();
    const { signal } = decision;
    decision.abort(reason);
    expect(decision.signal).toBe(signal);
  });

  it('tells its listeners once, and keeps its first reason', () => {
    const decision = new DecisionSignal();
    let told = 0;
    decision.signal.addEventListener('abort', () => {
      told += 1;
    });
    decision.abort(reason);
    decision.abort(new Error('another'));
    expect([told, decision.signal.reason]).toEqual([1, reason]);
  });

  it('keeps the first reason also if it is asked for only afterwards', () => {
    const decision = new DecisionSignal();
    decision.abort(reason);
    decision.abort(new Error('another'));
    expect(decision.signal.reason).toBe(reason);
  });

  it('is not made for nobody', () => {
    const made = vi.spyOn(globalThis, 'AbortController');
    onTestFinished(() => made.mockRestore());
    new DecisionSignal().abort(reason);
    expect(made).not.toHaveBeenCalled();
  });
});
