/** Owns that each example about load balancing does what it says, with clients that share no line with the implementation. */
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startBackend, startBalancer } from '../../examples/11-three-backends.js';
import { openClient } from '../support/for-one-test.js';

const TOKEN = 'a-secret-of-16-letters';

describe('11-three-backends', () => {
  async function stage(...names: string[]) {
    const balancer = await startBalancer(0, TOKEN);
    onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
    const { port, url } = balancer.addresses[0]!;
    const join = async (name: string, token = TOKEN) => {
      const told = once(balancer, token === TOKEN ? 'backend.ready' : 'registration.refused');
      const backend = await startBackend(name, url, token);
      onTestFinished(() => backend.stop({ drainTimeout: 0 }));
      await told;
      return backend;
    };
    const backends = [];
    for (const name of names) backends.push(await join(name));
    return { balancer, port, join, backends };
  }

  it('spreads its clients evenly over the servers that registered themselves', async () => {
    const { port, balancer } = await stage('ada', 'bob', 'eve');
    const greetings: string[] = [];
    for (let index = 0; index < 6; index++) greetings.push(await (await openClient({ port })).nextText());
    expect(greetings.sort()).toEqual(['ada', 'ada', 'bob', 'bob', 'eve', 'eve'].map((name) => `you are on ${name}`));
    expect(balancer.backends().map(({ load, source }) => [load, source])).toEqual(Array(3).fill([2, 'registered']));
  });

  it('goes on with those that are left when one stops, and with one that comes', async () => {
    const { port, balancer, backends, join } = await stage('ada', 'bob');
    const clients = [await openClient({ port }), await openClient({ port })];
    const names = await Promise.all(clients.map((client) => client.nextText()));
    const gone = once(balancer, 'backend.gone');
    await backends[0]!.stop();
    await gone;
    const [stays] = clients.filter((_, index) => names[index] === 'you are on bob');
    stays!.sendText('still here');
    expect(await stays!.nextText()).toBe('bob got 10 characters');
    await join('eve');
    expect(await (await openClient({ port })).nextText()).toBe('you are on eve');
  });

  it('takes no server that does not know the token', async () => {
    const { join, balancer } = await stage('ada');
    await join('mallory', 'another-secret-of-letters');
    expect(balancer.backends().map(({ id }) => id)).toEqual(['ada']);
  });
});
