/**
 * A balancer that carries nothing: clients ask it where to go, and then talk to a backend themselves. It is asked over HTTP, by the client
 * helper before each attempt; a WebSocket that is opened here anyway is answered 307 with the same address.
 */
import { ConnectionReceiver, LoadBalancer, ReceiverServer } from 'tidegate';
import { ReconnectingWebSocket, urlFrom } from 'tidegate/client';
import { WebSocket } from 'ws';

class Host extends ConnectionReceiver {
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
  }

  override onOpen(): void {
    this.connection.send(`this is ${this.#name}`);
  }
}

/** A backend. Here it is in the same process; mostly it is elsewhere, and registers itself. */
export async function startBackend(
  name: string,
  port = 0,
): Promise<{ id: string; url: string; server: ReceiverServer }> {
  const server = new ReceiverServer({ listen: { host: '127.0.0.1', port }, receiver: () => new Host(name) });
  const [address] = await server.start();
  return { id: name, url: `ws://127.0.0.1:${address?.port}`, server };
}

export async function start(
  port: number,
  backends: readonly { id: string; url: string }[],
  onDirected: (line: string) => void = () => {},
): Promise<LoadBalancer> {
  const balancer = new LoadBalancer({
    listen: { host: '127.0.0.1', port },
    backends: backends.map(({ id, url }) => ({ id, url })),
    mode: 'redirect',
    // The last word about an address: what clients behind NAT reach, or another scheme. Nothing leaves it as it is.
    onBeforeBinding: ({ remoteAddress }, binding, { id }) => {
      onDirected(`${remoteAddress} is sent to ${id}, ${binding}`);
      return undefined;
    },
  });
  await balancer.start();
  return balancer;
}

/** A client: in a browser, and from Node.js 22 on, leave `WebSocket` out. */
export function connect(balancer: string): ReconnectingWebSocket {
  return new ReconnectingWebSocket(urlFrom(balancer), { WebSocket });
}

if (process.argv[1] === import.meta.filename) {
  const backends = await Promise.all(['ada', 'bob'].map((name) => startBackend(name)));
  const balancer = await start(Number(process.env.PORT ?? 8080), backends, console.log);
  const [address] = balancer.addresses;
  console.log(`${address?.url} sends clients elsewhere; try: curl http://127.0.0.1:${address?.port}/some/path`);
  const client = connect(`http://127.0.0.1:${address?.port}/`);
  client.addEventListener('message', ({ data }) => console.log(`a client is told: ${data}`));
}
