/**
 * Owns the connections to backends for plain requests: those in use, those that wait for a request, and how many there may be. Refuses
 * to choose a backend, and to say a word to one.
 */
import { Agent, type ClientRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import type { DialAbort } from '../dial/dial-signal.js';
import type { Target } from '../dial/target.js';
import type { Wire } from '../wires/wire.js';
import { BackendStream } from './backend-stream.js';

/** What agents are made by. */
export interface AgentsOptions {
  /** Connections to each backend. */
  readonly connections: number;
  /** Milliseconds that a dial may take. */
  readonly dialTimeout: number;
  /** Connects to a target. */
  dial(target: Target, signal: DialAbort): Promise<Wire>;
}

/**
 * Milliseconds that a connection waits for its next request. Most servers wait 5 s and more: who closes first is not the one who may
 * be writing just then.
 */
const REST = 4000;
/** So much earlier than a backend says that it closes. */
const MARGIN = 1000;

/** The connections to one backend. */
export class BackendAgent extends Agent {
  readonly #target: Target;
  readonly #options: AgentsOptions;

  constructor(target: Target, options: AgentsOptions) {
    super({ keepAlive: true, maxSockets: options.connections, maxFreeSockets: options.connections });
    this.#target = target;
    this.#options = options;
  }

  override createConnection(): Duplex {
    const { dial, dialTimeout } = this.#options;
    const stream = new BackendStream((signal) => dial(this.#target, signal), dialTimeout);
    // Whoever is served by it is told, too; between two of them nobody is.
    return stream.on('error', () => {});
  }

  override keepSocketAlive(stream: Duplex): boolean {
    if (!(stream instanceof BackendStream)) return false;
    const rest = Math.min(REST, stream.keptFor - MARGIN);
    if (rest > 0) stream.rest(rest);
    return rest > 0;
  }

  override reuseSocket(stream: Duplex, request: ClientRequest): void {
    super.reuseSocket(stream, request);
    if (stream instanceof BackendStream) stream.wake();
  }

  /** Closes what waits for a request: one of them turned out to be dead, and the others are as old. */
  dropIdle(): void {
    for (const idle of Object.values(this.freeSockets)) for (const stream of [...(idle ?? [])]) stream.destroy();
  }
}

/** The connections to all backends. */
export class BackendAgents {
  readonly #options: AgentsOptions;
  /** By id and address. */
  readonly #agents = new Map<string, Map<string, BackendAgent>>();

  constructor(options: AgentsOptions) {
    this.#options = options;
  }

  /** Those to a backend, which may have another address than before. */
  for(id: string, target: Target): BackendAgent {
    let agents = this.#agents.get(id);
    if (agents === undefined) {
      agents = new Map();
      this.#agents.set(id, agents);
    }
    let agent = agents.get(target.href);
    if (agent === undefined) {
      agent = new BackendAgent(target, this.#options);
      agents.set(target.href, agent);
    }
    return agent;
  }

  /** A backend is none any more. */
  forget(id: string): void {
    for (const agent of this.#agents.get(id)?.values() ?? []) agent.destroy();
    this.#agents.delete(id);
  }

  /** Cuts all of them. */
  close(): void {
    for (const id of [...this.#agents.keys()]) this.forget(id);
  }
}
