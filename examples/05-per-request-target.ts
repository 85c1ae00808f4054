/** Chooses the target of each connection: who asks is checked, where they go is looked up, everyone else gets HTTP. */
import { accept, ConnectionReceiver, ProxyServer, reject, type UpgradeDecision, type UpgradeRequest } from 'tidegate';

/** Finds the target of a name, such as `tcp://10.0.0.5:5900` for `desk-5`. May ask a database. */
export type Lookup = (name: string, signal: AbortSignal) => Promise<string | undefined>;

class Switchboard extends ConnectionReceiver {
  readonly #lookup: Lookup;
  readonly #token: string;

  constructor(lookup: Lookup, token: string) {
    super();
    this.#lookup = lookup;
    this.#token = token;
  }

  /**
   * The target comes from the table, never from the client's own words: whoever may name a host and port can reach
   * every service behind this machine.
   */
  override async onUpgradeRequest(request: UpgradeRequest): Promise<UpgradeDecision> {
    if (request.headers.authorization !== `Bearer ${this.#token}`) {
      return reject(401, { headers: { 'WWW-Authenticate': 'Bearer' } });
    }
    const name = /^\/desks\/([\w-]+)$/.exec(request.path)?.[1];
    // The signal aborts when the client leaves or the handshake takes too long.
    const target = name === undefined ? undefined : await this.#lookup(name, request.signal);
    if (target === undefined) return reject(404, { body: `no such desk: ${request.path}\n` });
    return accept({ target, headers: { 'X-Desk': name ?? '' } });
  }
}

export async function start(port: number, lookup: Lookup, token: string): Promise<ProxyServer> {
  const proxy = new ProxyServer({
    listen: `127.0.0.1:${port}`,
    receiver: () => new Switchboard(lookup, token),
  });
  await proxy.start();
  return proxy;
}

if (process.argv[1] === import.meta.filename) {
  // DESKS='desk-1=tcp://127.0.0.1:5901,desk-2=tcp://127.0.0.1:5902'
  const desks = new Map<string, string>();
  for (const entry of (process.env.DESKS ?? 'desk-1=tcp://127.0.0.1:5901').split(',')) {
    const [name = '', target = ''] = entry.split(/=(.*)/s);
    desks.set(name, target);
  }
  const lookup = async (name: string) => desks.get(name);
  const proxy = await start(Number(process.env.PORT ?? 6080), lookup, process.env.TOKEN ?? 'secret');
  console.log(`${proxy.addresses[0]?.url}/desks/… forwards to ${[...desks.keys()].join(', ')}`);
}
