/** Owns that clients are sent by what the backends report: they go there by themselves, and the balancer does not see them. */
import { expect, it, onTestFinished } from 'vitest';
import { LoadBalancer, ReceiverServer } from '../../../src/index.js';
import { eventually } from '../../support/events.js';
import { openClient } from '../../support/for-one-test.js';
import { receiverFactory } from '../../support/recording-receiver.js';

const TOKEN = 'a secret of sixteen characters and more';

it('a backend that has clients of its own gets the others later, and no place is left when all are gone', async () => {
  const balancer = new LoadBalancer({
    listen: '127.0.0.1:0',
    mode: 'redirect',
    policy: 'least-connections',
    redirect: { path: '/where' },
    control: { path: '/control', tokens: [TOKEN], lease: 300 },
    health: { check: 'off' },
  });
  onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
  const [address] = await balancer.start();
  const ports: Record<string, number> = {};
  for (const id of ['a', 'b']) {
    const server = new ReceiverServer({
      listen: '127.0.0.1:0',
      receiver: receiverFactory().create,
      register: { balancer: `${address!.url}/control`, token: TOKEN, advertise: 'auto', id },
    });
    onTestFinished(() => server.stop({ drainTimeout: 0 }));
    const [own] = await server.start();
    ports[id] = own!.port;
  }
  const loads = () => Object.fromEntries(balancer.backends().map(({ id, load }) => [id, load]));
  await eventually(() => balancer.backends().filter(({ available }) => available).length === 2, 'both are ready');
  const early = await Promise.all([1, 2, 3].map(() => openClient({ port: ports.a! })));
  await eventually(() => loads().a === 3, 'a has reported its clients', { instead: () => JSON.stringify(loads()) });
  const next = async () => {
    const { url } = (await (await fetch(`http://127.0.0.1:${address!.port}/where`)).json()) as { url: string };
    return Number(new URL(url).port);
  };
  const late = [];
  for (let count = 0; count < 3; count += 1) {
    const port = await next();
    expect(port).toBe(ports.b);
    late.push(await openClient({ port }));
  }
  await eventually(() => loads().a === 3 && loads().b === 3, 'b has reported its clients, and they count once');
  for (const client of [...early, ...late]) client.destroy();
  await eventually(() => loads().a === 0 && loads().b === 0, 'nobody counts any more');
});
