/**
 * Owns what the tests of group messages set up: a balancer, backends that register with it and one that does not, and clients by either
 * way. Everything is closed when the test has finished. Refuses to assert anything.
 */
import { onTestFinished } from 'vitest';
import {
  accept,
  ConnectionReceiver,
  type LoadBalancer,
  type LoadBalancerOptions,
  ReceiverServer,
  type ReceiverServerOptions,
} from '../../src/index.js';
import { eventually } from '../support/events.js';
import { Client, inState, type RunningBalancer, startBalancer, TOKEN } from './control/stage.js';

/** Joins the channel that its path names, and answers each text with it. */
class Echo extends ConnectionReceiver {
  override onUpgradeRequest({ subprotocols }: { readonly subprotocols: readonly string[] }) {
    return accept({ subprotocol: subprotocols[0] });
  }
  override onOpen(request: { readonly path: string }): void {
    if (request.path !== '/') this.connection.subscribe(request.path.slice(1));
  }
  override onText(text: string): void {
    this.connection.send(text);
  }
}

/** A backend that registered itself. */
export interface Member {
  readonly id: string;
  readonly server: ReceiverServer;
  readonly url: string;
}

/** Starts a server that is a backend of these balancers. */
export async function startMember(
  id: string,
  balancer: string | string[],
  options: Partial<ReceiverServerOptions> = {},
): Promise<Member> {
  const { register, ...rest } = options;
  const server = new ReceiverServer({
    listen: '127.0.0.1:0',
    receiver: () => new Echo(),
    register: { balancer, id, token: TOKEN, advertise: 'auto', reconnect: { initial: 20, max: 100 }, ...register },
    ...rest,
  });
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
  const [address] = await server.start();
  return { id, server, url: address!.url };
}

/** Resolves when a backend knows that each of its balancers has registered it, and may pick it. */
export async function registered({ id, server }: Member, ...balancers: LoadBalancer[]): Promise<void> {
  for (const balancer of balancers) await inState(balancer, id, 'ready');
  const states = () => server.agent?.balancers.map(({ state }) => state) ?? [];
  await eventually(() => states().every((state) => state === 'registered'), `${id} is registered`, {
    instead: () => states().join(),
  });
}

/** A client, and everything that reaches it. */
export class Listener {
  readonly client: Client;
  readonly got: string[] = [];
  /** Payloads of pings. */
  readonly pings: string[] = [];
  #marks = 0;

  constructor(client: Client) {
    this.client = client;
    client.socket.on('ping', (payload) => this.pings.push(String(payload)));
  }

  /** What has come, when everything has that was sent before: another message goes to its backend and back. */
  async all(): Promise<string[]> {
    this.#marks += 1;
    const mark = `mark ${this.#marks}`;
    this.client.socket.send(mark);
    for (let text = await this.client.next(); text !== mark; text = await this.client.next()) this.got.push(text);
    return this.got;
  }
}

/** What `startGroup` makes. */
export interface RunningGroup extends RunningBalancer {
  readonly members: readonly [Member, Member, Member];
  /** The backend that does not register. */
  readonly plain: ReceiverServer;
  /** Opens a client through the balancer, on this backend. */
  relayed(backend: string, path?: string, protocols?: string[]): Promise<Listener>;
  /** Opens a client at a backend itself. */
  direct(member: Member, path?: string, protocols?: string[]): Promise<Listener>;
}

/** Starts a balancer, `b1`, `b2` and `b3` that register themselves, and `plain`, which it knows by configuration. */
export async function startGroup(options: LoadBalancerOptions = {}): Promise<RunningGroup> {
  const plain = new ReceiverServer({ listen: '127.0.0.1:0', receiver: () => new Echo() });
  onTestFinished(() => plain.stop({ drainTimeout: 0 }));
  const [address] = await plain.start();
  let wanted = 'plain';
  const running = await startBalancer({
    backends: [{ id: 'plain', url: address!.url }],
    selection: { select: (candidates) => candidates.find(({ id }) => id === wanted) },
    ...options,
  });
  const members: Member[] = [];
  for (const id of ['b1', 'b2', 'b3']) members.push(await startMember(id, running.control));
  for (const member of members) await registered(member, running.balancer);
  return {
    ...running,
    plain,
    members: members as [Member, Member, Member],
    relayed: async (backend, path = '/', protocols = []) => {
      wanted = backend;
      return new Listener(await Client.open(`${running.url}${path}`, protocols));
    },
    direct: async ({ url }, path = '/', protocols = []) => new Listener(await Client.open(`${url}${path}`, protocols)),
  };
}

/** A client by each way to each backend of the group: seven in all. */
export async function everyWay(group: RunningGroup, path = '/'): Promise<Record<string, Listener>> {
  const [b1, b2, b3] = group.members;
  return {
    'direct b1': await group.direct(b1, path),
    'direct b2': await group.direct(b2, path),
    'direct b3': await group.direct(b3, path),
    'relayed b1': await group.relayed('b1', path),
    'relayed b2': await group.relayed('b2', path),
    'relayed b3': await group.relayed('b3', path),
    'relayed plain': await group.relayed('plain', path),
  };
}

/** What each of them got, in this order. */
export async function whatCame(clients: Readonly<Record<string, Listener>>): Promise<Record<string, string[]>> {
  const came: Record<string, string[]> = {};
  for (const [name, listener] of Object.entries(clients)) came[name] = await listener.all();
  return came;
}

/** The same for each of them. */
export function each<Value>(clients: Readonly<Record<string, unknown>>, value: Value): Record<string, Value> {
  return Object.fromEntries(Object.keys(clients).map((name) => [name, value]));
}

/** The group of a member, as an application has it. */
export function groupOf(server: ReceiverServer | LoadBalancer) {
  if (server.group === undefined) throw new Error('the server is in no group');
  return server.group;
}
