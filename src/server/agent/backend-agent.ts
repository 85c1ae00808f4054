/**
 * Owns a backend's side of its registration: with one balancer or several at once, what it says of itself and whether it wants clients.
 * Refuses to serve clients, and to know what the server behind it is.
 */
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import type { Advertisement, Register } from '../../protocol/control/messages.js';
import { TidegateError } from '../../receivers/errors.js';
import { findProblems, formatProblem } from '../config/problems.js';
import { type AgentConfig, type AgentConfigInput, agentOptionsSchema } from '../config/register.js';
import type { Group } from '../group/group.js';
import { GroupFace } from '../group/group-face.js';
import type { LocalClients } from '../group/local-clients.js';
import {
  BalancerLink,
  type BalancerState,
  type FromBalancer,
  type Introduction,
  type LinkHost,
} from './balancer-link.js';
import { AgentGroup } from './group/agent-group.js';

/** The options of a {@link BackendAgent}. */
export interface BackendAgentOptions extends AgentConfigInput {
  /** How many connections the backend has now. Asked often; must be cheap. Default: 0, and the balancer counts those that it brings. */
  readonly connections?: (() => number) | undefined;
  /** Delivers messages for the clients of the backend. Left out: it can send to the clients of others, and the balancer delivers to its own. */
  readonly clients?: LocalClients | undefined;
}

/** A balancer, as a backend sees it. */
export interface BalancerInfo {
  readonly url: string;
  readonly state: BalancerState;
  /** Tells one start of a balancer from another; undefined before it was reached. */
  readonly balancer: string | undefined;
  /** Counts the registrations under this id, there; undefined before the first. */
  readonly generation: number | undefined;
}

/** The events of a {@link BackendAgent}. A listener that throws ends nothing. */
export interface BackendAgentEvents {
  /** A balancer registered the backend (sgc: OnLoadBalancerConnect). */
  'balancer.connected': [balancer: BalancerInfo];
  /** A balancer that had registered it is lost, or was left (sgc: OnLoadBalancerDisconnect). Once for each `balancer.connected`. */
  'balancer.disconnected': [balancer: BalancerInfo, code: number, reason: string];
  /** A balancer could not be reached, or refused the backend (sgc: OnLoadBalancerError). */
  'balancer.error': [balancer: BalancerInfo, error: TidegateError];
  /** What the backend is for a balancer from now on: it gets clients, or none, by its own wish or by that of an operator. */
  'balancer.state': [balancer: BalancerInfo, state: 'ready' | 'draining'];
  /**
   * No balancer is tried any more: each has refused the backend for good, or `reconnect.initial` is 0. Not told when it was stopped or
   * left by {@link BackendAgent.stop}. It may be started again.
   */
  stopped: [];
  /** A listener of an event threw, or `connections` did. */
  exception: [error: unknown];
}

/** What the server behind an agent gives it. */
export interface AgentSurroundings {
  /** Where it listens, for `advertise: 'auto'`. @throws TidegateError `INVALID_OPTION` for what others do not reach. */
  readonly advertised?: (() => readonly string[]) | undefined;
}

/** What may be changed while it runs. */
export type AgentUpdate = Partial<Pick<AgentConfig, 'weight' | 'capacity' | 'tags'>> & {
  /** Where it is reached from now on, best first. */
  readonly advertise?: readonly string[] | undefined;
};

/** Registers a backend with balancers (sgc: TsgcWebSocketServer.LoadBalancer). Works in any server of Node.js. */
export class BackendAgent extends EventEmitter<BackendAgentEvents> implements LinkHost {
  /** What tells this backend from others. */
  readonly id: string;
  /** The clients of the balancers and of all their backends. */
  readonly group: Group;
  readonly #config: AgentConfig;
  readonly #count: () => number;
  readonly #surroundings: AgentSurroundings;
  readonly #links: readonly BalancerLink[];
  readonly #part: AgentGroup;
  #wish: 'ready' | 'unready' | 'draining';
  #advertisement: Advertisement | undefined;

  /** @throws TidegateError `INVALID_OPTION` that names every wrong option, its value and what would be right. */
  constructor(options: BackendAgentOptions, surroundings: AgentSurroundings = {}) {
    super();
    const { value, problems } = findProblems(agentOptionsSchema, options, { ignore: ['connections', 'clients'] });
    if (value === undefined) throw invalid(problems.map((problem) => formatProblem(problem)).join('\n'));
    const { connections = () => 0, clients } = options;
    if (typeof connections !== 'function') throw invalid(`connections: got ${typeof connections}; expected a function`);
    if (value.advertise === 'auto' && surroundings.advertised === undefined) {
      throw invalid(
        "advertise: got 'auto'; expected addresses: only the option `register` of a server knows where it listens",
      );
    }
    this.#config = value;
    this.#count = connections;
    this.#surroundings = surroundings;
    this.#wish = value.ready ? 'ready' : 'unready';
    this.id = value.id ?? ownId();
    this.#links = [...new Set(value.balancer)].map((url) => new BalancerLink(url, value, this));
    this.#part = new AgentGroup({
      id: this.id,
      timeout: value.groupTimeout,
      clients,
      links: () => this.#links,
      exception: (error) => this.#tell('exception', error),
    });
    this.group = new GroupFace(() => this.#part.member);
  }

  /** Every balancer, and how it stands with it. */
  get balancers(): BalancerInfo[] {
    return this.#links.map(infoOf);
  }

  /** `registered` when one balancer has registered it at least, `stopped` when it has not begun or has ended, else `connecting`. */
  get state(): 'stopped' | 'connecting' | 'registered' {
    if (this.#links.some(({ state }) => state === 'registered')) return 'registered';
    return this.#links.every(({ state }) => state === 'stopped') ? 'stopped' : 'connecting';
  }

  /**
   * Begins to register, and goes on until {@link stop}. Whether it succeeds is told by events: a balancer that cannot be reached is no
   * error of the backend. Does nothing with a balancer that it has begun with already.
   *
   * @throws TidegateError `INVALID_OPTION` when `advertise: 'auto'` finds nothing that others reach.
   */
  start(): void {
    this.#advertisement ??= this.#describe();
    for (const link of this.#links) link.open();
  }

  /** Leaves every balancer. Resolves when every channel is closed. */
  async stop(): Promise<void> {
    await this.leave();
    this.#advertisement = undefined;
    this.#wish = this.#config.ready ? 'ready' : 'unready';
  }

  /** It may be picked from now on; needed with `ready: false` only. */
  ready(): void {
    this.#want('ready', 'ready');
  }

  /** It wants no more clients; those it has meet the fate that the balancer's `drain.whenDraining` says. It stays registered. */
  drain(): void {
    this.#want('draining', 'drain');
  }

  /** It wants clients again. What an operator drained stays so. */
  resume(): void {
    this.#want('ready', 'resume');
  }

  /** Leaves every balancer for good, until {@link start}. Resolves when no balancer sends clients any more, within a second. */
  async leave(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.leave()));
  }

  /**
   * Something of what it says of itself is otherwise now.
   *
   * @throws TidegateError `INVALID_OPTION` as for the options of the same names.
   */
  update(update: AgentUpdate): void {
    const { advertise, weight, capacity, tags } = update;
    const { balancer } = this.#config;
    const given = { balancer, advertise: advertise ?? this.#config.advertise, weight, capacity, tags };
    const { value, problems } = findProblems(agentOptionsSchema, given);
    if (value === undefined) throw invalid(problems.map((problem) => formatProblem(problem)).join('\n'));
    const changed: Partial<Advertisement> = {
      ...(Array.isArray(value.advertise) && advertise !== undefined ? { bindings: value.advertise } : {}),
      ...(weight === undefined ? {} : { weight }),
      ...(capacity === undefined ? {} : { capacity }),
      ...(tags === undefined ? {} : { tags }),
    };
    this.#advertisement = { ...(this.#advertisement ?? this.#describe()), ...changed };
    for (const link of this.#links) link.say({ type: 'update', ...changed });
  }

  /** The channels to balancers that have registered it. */
  get links(): readonly BalancerLink[] {
    return this.#links.filter(({ state }) => state === 'registered');
  }

  // What the channels ask and tell.

  introduce(): Introduction {
    const advertisement = this.#advertisement ?? this.#describe();
    const { features } = this.#part;
    const introduction: Introduction = { id: this.id, ready: this.#wish === 'ready', ...advertisement };
    return features.length === 0
      ? introduction
      : ({ ...introduction, features } satisfies Omit<Register, 'type' | 'version' | 'nonce'>);
  }

  connections(): number {
    try {
      const count = Math.floor(this.#count());
      return Number.isFinite(count) ? Math.min(Math.max(0, count), 1_000_000_000) : 0;
    } catch (error) {
      this.#tell('exception', error);
      return 0;
    }
  }

  registered(link: BalancerLink): void {
    this.#tell('balancer.connected', infoOf(link));
  }

  heard(link: BalancerLink, message: FromBalancer): void {
    if (message.type === 'state') this.#tell('balancer.state', infoOf(link), message.state);
    else if (message.type === 'command') this.#part.command(link, message);
    else this.#part.result(link, message);
  }

  lost(link: BalancerLink, code: number, reason: string): void {
    this.#part.lost(link);
    this.#tell('balancer.disconnected', infoOf(link), code, reason);
  }

  failed(link: BalancerLink, error: TidegateError): void {
    this.#tell('balancer.error', infoOf(link), error);
  }

  ended(_link: BalancerLink): void {
    if (this.state === 'stopped') this.#tell('stopped');
  }

  #describe(): Advertisement {
    const { advertise, weight, capacity, tags } = this.#config;
    const bindings = advertise === 'auto' ? (this.#surroundings.advertised?.() ?? []) : advertise;
    return { bindings, weight, capacity, tags };
  }

  #want(wish: 'ready' | 'draining', type: 'ready' | 'drain' | 'resume'): void {
    this.#wish = wish;
    for (const link of this.#links) link.say({ type });
  }

  #tell<Name extends keyof BackendAgentEvents>(name: Name, ...values: BackendAgentEvents[Name]): void {
    try {
      (this.emit as (name: string, ...values: unknown[]) => boolean).call(this, name, ...values);
    } catch (error) {
      if (name !== 'exception') this.#tell('exception', error);
    }
  }
}

function infoOf({ url, state, balancer, generation }: BalancerLink): BalancerInfo {
  return { url, state, balancer, generation };
}

function ownId(): string {
  const host = hostname()
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 64);
  return `${host}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

function invalid(message: string): TidegateError {
  return new TidegateError('INVALID_OPTION', message);
}
