/** Holds that the delay of the event loop is told as it is, and measured only while somebody asks. */
import { describe, expect, it } from 'vitest';
import { EventLoopDelay } from '../../../src/server/observation/event-loop-delay.js';
import { SimulatedClock } from '../../../src/testing/simulated-clock.js';

function hold(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe('the delay of the event loop', () => {
  it('tells of a loop that was held up, and is measured from the first question on', async () => {
    const delay = new EventLoopDelay(new SimulatedClock());
    expect(delay.measures).toBe(false);
    const before = await delay.read();
    expect(delay.measures).toBe(true);
    expect(before.max).toBeGreaterThanOrEqual(before.mean);
    hold(300);
    // A sample is taken when the loop goes on.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const after = await delay.read();
    expect(after.max).toBeGreaterThan(200);
    expect(after.p99).toBeLessThanOrEqual(after.max);
  });

  it('forgets what was long ago, and does not forget at once', async () => {
    const clock = new SimulatedClock();
    const delay = new EventLoopDelay(clock);
    await delay.read();
    hold(300);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await clock.advance(5000);
    expect((await delay.read()).max).toBeGreaterThan(200);
    await clock.advance(5000);
    await delay.read();
    expect((await delay.read()).max).toBeLessThan(300);
  });

  it('is not measured any more when nobody asked for ten seconds, or for as long as somebody said', async () => {
    const clock = new SimulatedClock();
    const delay = new EventLoopDelay(clock);
    await delay.read();
    await clock.advance(9000);
    await delay.read();
    await clock.advance(9000);
    expect(delay.measures).toBe(true);
    await clock.advance(1000);
    expect([delay.measures, clock.timers]).toEqual([false, 0]);
    await delay.read(60_000);
    await clock.advance(5000);
    await delay.read();
    await clock.advance(54_000);
    expect(delay.measures).toBe(true);
    await clock.advance(1000);
    expect([delay.measures, clock.timers]).toEqual([false, 0]);
  });
});
