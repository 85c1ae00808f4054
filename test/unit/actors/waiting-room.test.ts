/** Owns that whoever waits is answered exactly once: in its turn, when it has waited too long, or when it leaves. */
import { describe, expect, it } from 'vitest';
import { WaitingRoom } from '../../../src/actors/waiting-room.js';
import { SimulatedClock, settled } from '../../../src/testing/simulated-clock.js';

function room(max = 10, timeout = 100) {
  const clock = new SimulatedClock();
  const waiting = new WaitingRoom<string, string>({ max, timeout }, clock, 'in vain');
  const answers: string[] = [];
  const enter = (wish: string) => {
    const controller = new AbortController();
    const answered = waiting.enter(wish, controller.signal);
    void answered?.then((answer) => answers.push(`${wish}: ${answer}`));
    return { entered: answered !== undefined, leave: () => controller.abort() };
  };
  const serve = (limit: number) => {
    let left = limit;
    waiting.serve(
      () => {
        left -= 1;
        return 'served';
      },
      () => left > 0,
    );
  };
  return { clock, waiting, answers, enter, serve };
}

describe('a waiting room', () => {
  it('serves in the order in which they came, as many as there is something for', async () => {
    const { enter, serve, answers, waiting } = room();
    for (const wish of ['a', 'b', 'c']) enter(wish);
    serve(2);
    await settled();
    expect(answers).toEqual(['a: served', 'b: served']);
    expect(waiting.size).toBe(1);
  });

  it('goes on to the next one when one has to wait on', async () => {
    const { enter, waiting, answers } = room();
    for (const wish of ['a', 'b', 'c']) enter(wish);
    waiting.serve(
      (wish) => (wish === 'a' ? undefined : 'served'),
      () => true,
    );
    await settled();
    expect(answers).toEqual(['b: served', 'c: served']);
    expect(waiting.size).toBe(1);
  });

  it('goes on when serving one makes others leave', async () => {
    const { enter, waiting, answers } = room();
    enter('a');
    const b = enter('b');
    const c = enter('c');
    enter('d');
    waiting.serve(
      (wish) => {
        if (wish === 'a') {
          b.leave();
          c.leave();
        }
        return 'served';
      },
      () => true,
    );
    await settled();
    expect(answers.sort()).toEqual(['a: served', 'b: in vain', 'c: in vain', 'd: served']);
  });

  it('takes in no more than its bound, and nobody who has left', () => {
    const { enter, waiting } = room(2);
    expect([enter('a').entered, enter('b').entered, enter('c').entered]).toEqual([true, true, false]);
    const gone = new AbortController();
    gone.abort();
    expect(room().waiting.enter('x', gone.signal)).toBeUndefined();
    expect(waiting.size).toBe(2);
  });

  it('lets each wait as long as it says and no longer, with one timer for all', async () => {
    const { clock, enter, answers, waiting } = room(10, 100);
    enter('a');
    await clock.advance(60);
    enter('b');
    expect(clock.timers).toBe(1);
    await clock.advance(39);
    expect(answers).toEqual([]);
    await clock.advance(1);
    expect(answers).toEqual(['a: in vain']);
    await clock.advance(59);
    expect(waiting.size).toBe(1);
    await clock.advance(1);
    expect(answers).toEqual(['a: in vain', 'b: in vain']);
    expect(clock.timers).toBe(0);
  });

  it('forgets one that leaves, at once, and keeps no timer for nobody', async () => {
    const { clock, enter, serve, answers } = room();
    const a = enter('a');
    a.leave();
    a.leave();
    serve(5);
    await settled();
    expect(answers).toEqual(['a: in vain']);
    expect(clock.timers).toBe(0);
  });

  it('listens for nobody to leave who does not wait any more', async () => {
    const { waiting, serve } = room();
    const listeners = new Set<unknown>();
    const leaving = {
      aborted: false,
      addEventListener: (_: 'abort', listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: 'abort', listener: () => void) => void listeners.delete(listener),
    };
    void waiting.enter('a', leaving);
    expect(listeners.size).toBe(1);
    serve(1);
    expect(listeners.size).toBe(0);
  });

  it('answers all when it is emptied', async () => {
    const { clock, enter, waiting, answers } = room();
    for (const wish of ['a', 'b']) enter(wish);
    waiting.empty('closed');
    await settled();
    expect(answers).toEqual(['a: closed', 'b: closed']);
    expect(clock.timers).toBe(0);
  });
});
