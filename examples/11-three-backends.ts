/** Three servers behind a load balancer that has none of them in its options: each registers itself, and leaves when it stops. */
import { once } from 'node:events';
import { ConnectionReceiver, LoadBalancer, ReceiverServer } from 'tidegate';

const CONTROL = '/.tidegate/control';

class Counter extends ConnectionReceiver {
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
  }

  override onOpen(): void {
    this.connection.send(`you are on ${this.#name}`);
  }

  override onText(text: string): void {
    this.connection.send(`${this.#name} got ${text.length} characters`);
  }
}

export async function startBalancer(port: number, token: string): Promise<LoadBalancer> {
  const balancer = new LoadBalancer({
    listen: `127.0.0.1:${port}`,
    policy: 'least-connections',
    // Whoever knows the token may register here. Control channels are no clients: they come by a path of their own.
    control: { path: CONTROL, tokens: [token] },
    // A backend that goes sends its clients away at a pace, each with another time to come back.
    drain: { whenRemoved: 'drain', perSecond: 50 },
  });
  await balancer.start();
  return balancer;
}

/** In real life this is another machine: `balancer` is then its address, and `advertise` where the balancer reaches this one. */
export async function startBackend(name: string, balancer: string, token: string): Promise<ReceiverServer> {
  const server = new ReceiverServer({
    listen: '127.0.0.1:0',
    receiver: () => new Counter(name),
    register: { balancer: `${balancer}${CONTROL}`, token, id: name, advertise: 'auto' },
  });
  await server.start();
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const token = process.env.TOKEN ?? 'a-secret-of-16-letters';
  const balancer = await startBalancer(Number(process.env.PORT ?? 8080), token);
  const url = balancer.addresses[0]?.url ?? '';
  for (const name of ['ada', 'bob', 'eve']) {
    const ready = once(balancer, 'backend.ready');
    await startBackend(name, url, token);
    await ready;
  }
  console.log(`${url} spreads its clients over ${balancer.backends().length} backends:`);
  for (const { id, url: own } of balancer.backends()) console.log(`${id} takes clients at ${own}`);
  balancer.on('backend.draining', ({ id, draining }) => console.log(`${id} gets no new clients (${draining})`));
  balancer.on('backend.gone', ({ id }) => console.log(`${id} is gone`));
  balancer.on('registration.refused', ({ why, remoteAddress }) =>
    console.log(`${remoteAddress} may not register: ${why}`),
  );
}
