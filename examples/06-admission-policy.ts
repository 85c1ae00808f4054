/** Turns connections away before anything is read: lists, limits and bans by option, and a policy and a hook of one's own. */
import { type AdmissionPolicy, ConnectionReceiver, type Denial, type Peer, ReceiverServer } from 'tidegate';

/** Lets so many connections in from each network of 256 addresses, so that no neighbourhood takes the whole server. */
export class Neighbourhoods implements AdmissionPolicy {
  readonly name = 'neighbourhoods';
  readonly #inside = new Map<string, number>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Called for each connection that the options let in, before anything of it is read. */
  connection({ remoteAddress }: Peer): Denial | undefined {
    const network = networkOf(remoteAddress);
    const inside = this.#inside.get(network) ?? 0;
    if (inside >= this.#most) {
      return { error: 'TOO_MANY_CONNECTIONS', message: 'too many from your network', retryAfter: 10 };
    }
    this.#inside.set(network, inside + 1);
    return undefined;
  }

  /** Called once for each connection that `connection` let in, when it is gone. */
  release({ remoteAddress }: Peer): void {
    const network = networkOf(remoteAddress);
    const inside = (this.#inside.get(network) ?? 1) - 1;
    if (inside > 0) this.#inside.set(network, inside);
    else this.#inside.delete(network);
  }
}

function networkOf(address: string): string {
  return address.replace(/\.\d+$/, '');
}

class Echo extends ConnectionReceiver {
  override onText(text: string): void {
    this.connection.send(text);
  }
}

export async function start(port: number, most: number, isOpen: () => boolean = () => true): Promise<ReceiverServer> {
  const server = new ReceiverServer({
    listen: `127.0.0.1:${port}`,
    receiver: () => new Echo(),
    admission: { deny: ['127.0.0.66'], rate: { perAddress: 50 } },
    limits: { maxConnectionsPerAddress: 1000 },
    policies: [new Neighbourhoods(most)],
    // Asked for everyone else; may be asynchronous.
    onTcpConnect: () => isOpen(),
  });
  server.on('rejected', ({ error, policy, remoteAddress }) => console.log(`${remoteAddress}: ${error} (${policy})`));
  await server.start();
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.env.PORT ?? 8080), Number(process.env.MOST ?? 100));
  console.log(`${server.addresses[0]?.url} echoes, for ${process.env.MOST ?? 100} clients of a network`);
}
