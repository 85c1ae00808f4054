/** Owns that receivers can be driven along every path of the chart, and that one that breaks its contract is found out. */
import { describe, expect, it } from 'vitest';
import { ConnectionReceiver } from '../../../src/index.js';
import { connectionPaths, driveAlongPath, pathOf } from '../../../src/testing.js';

class Echo extends ConnectionReceiver {
  override onText(text: string) {
    this.connection.send(text);
  }
}

class Throwing extends Echo {
  override onThrottled() {
    throw new Error('not prepared for this');
  }
}

class Hasty extends Echo {
  override onThrottled() {
    this.connection.close(1013);
  }
}

describe('a receiver is driven along every path of the chart', () => {
  it.each(connectionPaths().map((path) => [path.name, path] as const))('%s', async (_, path) => {
    await driveAlongPath(path, () => new Echo());
  });
});

describe.each(['before-accept', 'after-accept'] as const)('with a target that is dialled %s', (dial) => {
  const paths = connectionPaths({ dial }).filter(({ events }) => events.length <= 2);

  it.each(paths.map((path) => [path.name, path] as const))('%s', async (_, path) => {
    await driveAlongPath(path, () => new ConnectionReceiver());
  });
});

describe('a path', () => {
  const throttling = pathOf([
    { type: 'decision.accept', dial: 'none' },
    { type: 'pressure.high' },
    { type: 'pressure.low' },
  ]);

  it('is one of about a hundred that are the same each time, each with a transition of its own at its end', () => {
    const names = connectionPaths().map(({ name }) => name);
    expect(names).toEqual(connectionPaths().map(({ name }) => name));
    expect(names.length).toBeGreaterThan(60);
    expect(names.length).toBeLessThan(150);
  });

  it('may be made of events, unless the chart has no use for one of them', () => {
    expect(throttling.values.at(-1)).toMatchObject({ open: { outbound: 'flowing' } });
    expect(() => pathOf([{ type: 'pressure.high' }])).toThrow('events[0]: got pressure.high');
  });

  it('shows each step with the callbacks that came in it, and asks the test after each', async () => {
    const seen: string[] = [];
    const steps = await driveAlongPath(throttling, () => new Echo(), {
      talk: async ({ client }) => client.send('hello'),
      check: ({ receiver }, { event }) => void seen.push(`${event} ${receiver.constructor.name}`),
    });
    expect(seen).toEqual(['decision.accept Echo', 'pressure.high Echo', 'pressure.low Echo']);
    expect(steps.map(({ calls }) => calls.map(({ callback }) => callback))).toEqual([
      ['onOpen'],
      ['onThrottled'],
      ['onUnthrottled'],
    ]);
  });

  it('finds a receiver that throws, and one that leaves the path, and says where', async () => {
    await expect(driveAlongPath(throttling, () => new Throwing())).rejects.toThrow(/elsewhere[\s\S]*pressure\.high/);
    await expect(driveAlongPath(throttling, () => new Hasty())).rejects.toThrow(/elsewhere[\s\S]*pressure\.high/);
  });

  it('finds what a check of the test finds', async () => {
    const check = () => {
      throw new Error('the room is not empty');
    };
    await expect(driveAlongPath(throttling, () => new Echo(), { check })).rejects.toThrow('the room is not empty');
  });
});
