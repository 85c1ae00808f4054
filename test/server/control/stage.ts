/**
 * Owns what the tests of control channels set up: a balancer with a record of its events, backends that answer with their name, and a
 * backend written by hand. Everything is closed when the test has finished. Refuses to assert anything.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import {
  BackendAgent,
  type BackendAgentOptions,
  ConnectionReceiver,
  LoadBalancer,
  type LoadBalancerOptions,
  ReceiverServer,
  type ReceiverServerOptions,
} from '../../../src/index.js';
import { eventually, WaitingLine } from '../../support/events.js';

export const TOKEN = 'a secret of sixteen characters and more';

/** A balancer that runs. */
export interface RunningBalancer {
  readonly balancer: LoadBalancer;
  readonly port: number;
  /** Where clients connect. */
  readonly url: string;
  /** Where backends register. */
  readonly control: string;
  /** What it told, in order, such as `backend.ready a`. */
  readonly lines: string[];
}

const PATH = '/.tidegate/control';

/** Starts a balancer that takes registrations on its public listener. */
export async function startBalancer(options: LoadBalancerOptions = {}): Promise<RunningBalancer> {
  const { control, ...rest } = options;
  const balancer = new LoadBalancer({
    listen: '127.0.0.1:0',
    control: { path: PATH, tokens: [TOKEN], ...control },
    // Some backends here are nowhere.
    health: { check: 'off' },
    ...rest,
  });
  const lines: string[] = [];
  balancer.on('connection', ({ id }) => lines.push(`connection ${id}`));
  balancer.on('backend.connected', ({ id }) => lines.push(`backend.connected ${id}`));
  for (const name of ['backend.ready', 'backend.draining', 'backend.gone'] as const) {
    balancer.on(name, ({ id }) => lines.push(`${name} ${id}`));
  }
  balancer.on('backend.lost', ({ id }, code) => lines.push(`backend.lost ${id} ${code}`));
  balancer.on('registration.refused', ({ why }) => lines.push(`registration.refused ${why}`));
  balancer.on('exception', (error) => lines.push(`exception ${String(error)}`));
  onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
  const [address] = await balancer.start();
  const { port, url } = address!;
  return { balancer, port, url, control: `${url}${PATH}`, lines };
}

class Named extends ConnectionReceiver {
  readonly #name: string;
  constructor(name: string) {
    super();
    this.#name = name;
  }
  override onText(text: string): void {
    this.connection.send(`${this.#name}: ${text}`);
  }
}

/** Starts a server that answers each message with its name before it. */
export async function startBackend(
  name: string,
  options: Partial<ReceiverServerOptions> = {},
): Promise<{ readonly server: ReceiverServer; readonly url: string }> {
  const server = new ReceiverServer({ listen: '127.0.0.1:0', receiver: () => new Named(name), ...options });
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
  const [address] = await server.start();
  return { server, url: address!.url };
}

/** Makes an agent that ends with the test. It is not started. */
export function createAgent(
  options: Omit<BackendAgentOptions, 'token'> & { token?: string | undefined },
): BackendAgent {
  const agent = new BackendAgent({ token: TOKEN, reconnect: { initial: 20, max: 100 }, ...options });
  onTestFinished(() => agent.stop());
  return agent;
}

/** Resolves when a balancer has a backend in this state. */
export async function inState(balancer: LoadBalancer, id: string, state: string): Promise<void> {
  const stateNow = () => balancer.backends().find((one) => one.id === id)?.state ?? 'none';
  await eventually(() => stateNow() === state, `the backend ${id} is ${state}`, { instead: stateNow });
}

/** A client of `ws`, which asks and gets one answer each time. */
export class Client {
  readonly socket: WebSocket;
  readonly #answers: string[] = [];
  readonly #line = new WaitingLine();
  closed: { readonly code: number; readonly reason: string } | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.#answers.push(String(data));
      this.#line.notify();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#line.notify();
    });
    socket.on('error', () => {});
  }

  /** Rejects when it is refused. */
  static open(url: string, protocols: string[] = []): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, protocols);
      onTestFinished(() => socket.terminate());
      const client = new Client(socket);
      socket.once('open', () => resolve(client));
      socket.once('unexpected-response', (_request, response) => {
        reject(new Error(`refused with ${response.statusCode}`));
        socket.terminate();
      });
      socket.once('error', reject);
    });
  }

  ask(text: string): Promise<string> {
    this.socket.send(text);
    return this.next();
  }

  next(): Promise<string> {
    return this.#line.until(
      () => this.#answers.shift(),
      () => (this.closed === undefined ? undefined : new Error(`closed with ${this.closed.code}`)),
    );
  }

  async end(): Promise<{ readonly code: number; readonly reason: string }> {
    return this.#line.until(
      () => this.closed,
      () => undefined,
    );
  }
}

type Fields = Record<string, unknown>;

/** A backend written by hand, message by message. */
export class RawBackend {
  readonly client: Client;
  challenge!: { nonce: string; balancer: string };

  private constructor(client: Client) {
    this.client = client;
  }

  /** Opens a channel and takes the challenge. */
  static async open(control: string): Promise<RawBackend> {
    const backend = new RawBackend(await Client.open(control, ['tidegate.control.v1']));
    backend.challenge = (await backend.next()) as typeof backend.challenge;
    return backend;
  }

  async next(): Promise<Fields> {
    return JSON.parse(await this.client.next()) as Fields;
  }

  send(message: Fields): void {
    this.client.socket.send(JSON.stringify(message));
  }

  /** The message that registers it; what is given replaces what would be right. */
  registration(fields: Fields = {}, token = TOKEN): Fields {
    const { bindings = ['ws://127.0.0.1:9'], id = 'raw', nonce = randomBytes(16).toString('base64url') } = fields;
    const { balancer, nonce: challenge } = this.challenge;
    const lines = ['tidegate.control.v1 backend', balancer, challenge, nonce, id, ...(bindings as string[])];
    const proof = createHmac('sha256', token).update(lines.join('\n')).digest('base64url');
    return { type: 'register', version: 1, id, nonce, proof, bindings, ready: true, ...fields };
  }

  /** Registers it, and gives what the balancer says to that. */
  register(fields: Fields = {}): Promise<Fields> {
    this.send(this.registration(fields));
    return this.next();
  }
}

/** Opens a channel, and registers a backend by hand. */
export async function registerByHand(control: string, fields: Fields = {}): Promise<RawBackend> {
  const backend = await RawBackend.open(control);
  const answer = await backend.register(fields);
  if (answer.type !== 'registered') throw new Error(`not registered: ${JSON.stringify(answer)}`);
  return backend;
}
