/**
 * Owns which control channel speaks for which backend, and what its words do to the pool: the newest registration of an id wins, and
 * what an older one says or suffers changes nothing. Refuses to read messages and to keep time; the channel does.
 */
import type { BackendSpec } from '../../../actors/backend.js';
import type { BackendActor } from '../../../actors/backend-actor.js';
import type { PoolActor } from '../../../actors/pool-actor.js';
import type { Advertisement, Register, Update } from '../../../protocol/control/messages.js';
import type { BalancerConfig } from '../../config/balancer/options.js';
import { problemOfAdvertisedFrom, type Speech } from '../../dial/advertised-address.js';
import type { ControlChannel, ControlRefusal, LaterMessage } from './control-channel.js';

/** What a registrar needs. */
export interface RegistrarOptions {
  readonly pool: PoolActor;
  readonly speaks: Speech;
  readonly drain: BalancerConfig['drain'];
  readonly maxBackends: number;
}

/** A backend that registered itself, and who speaks for it. */
interface Seat {
  readonly channel: ControlChannel;
  readonly backend: BackendActor;
}

/** The backends that registered themselves. */
export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #seats = new Map<string, Seat>();

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#seats.size;
  }

  /** Who speaks for backends now. */
  *channels(): Generator<ControlChannel, void> {
    for (const { channel } of this.#seats.values()) yield channel;
  }

  channelOf(id: string): ControlChannel | undefined {
    return this.#seats.get(id)?.channel;
  }

  /** The backend that a channel speaks for; undefined for one that does not any more. */
  backendOf(channel: ControlChannel): BackendActor | undefined {
    const seat = this.#seats.get(channel.registration?.id ?? '');
    return seat?.channel === channel ? seat.backend : undefined;
  }

  /** Takes a backend whose credentials are good. It is picked only after {@link settle}. */
  register(channel: ControlChannel, register: Register): { readonly generation: number } | ControlRefusal {
    const { pool, maxBackends } = this.#options;
    const { id } = register;
    const known = pool.get(id);
    const problem = this.#problemOf(channel, register) ?? this.#claimProblem(id, known, maxBackends);
    if (problem !== undefined) return problem;
    const spec = specOf(register, id);
    const before = this.#seats.get(id);
    const backend = known ?? pool.add(spec);
    if (known !== undefined) {
      known.update(spec);
      known.generation += 1;
    }
    this.#seats.set(id, { channel, backend });
    before?.channel.refuse({ why: 'superseded', message: `${JSON.stringify(id)} registered anew` });
    return { generation: backend.generation };
  }

  /** The backend knows that it is registered: from here on it may be picked, if it is ready. */
  settle(channel: ControlChannel, { ready }: Register): void {
    const backend = this.backendOf(channel);
    if (backend === undefined) return;
    if (ready) backend.send({ type: 'ready.announced' });
    // It was picked when it was here before, and says now that it is not to be.
    else if (backend.state === 'ready') backend.send({ type: 'drain.request', cause: 'backend', fate: 'keep' });
  }

  /** A registered backend said something about itself. */
  heard(
    channel: ControlChannel,
    message: Exclude<LaterMessage, { type: 'command' | 'result' }>,
  ): ControlRefusal | undefined {
    const backend = this.backendOf(channel);
    if (backend === undefined) return undefined;
    switch (message.type) {
      case 'load':
        backend.report(message.connections);
        return undefined;
      case 'update':
        return this.#update(channel, backend, message);
      case 'ready':
      case 'resume':
        // What an operator drained, only an operator puts back.
        backend.send({ type: 'ready.announced' });
        return undefined;
      case 'drain':
        backend.send({ type: 'drain.request', cause: 'backend', fate: this.#options.drain.whenDraining });
        return undefined;
      case 'leave':
        this.#seats.delete(backend.id);
        backend.send({ type: 'drain.request', cause: 'removed', fate: this.#options.drain.whenRemoved });
        return undefined;
    }
  }

  /**
   * A channel ended. Answers with the backend that is lost by it, which is picked no more; undefined when it spoke for none, or for one
   * that left or that another channel speaks for.
   */
  lose(channel: ControlChannel): BackendActor | undefined {
    const backend = this.backendOf(channel);
    if (backend === undefined) return undefined;
    this.#seats.delete(backend.id);
    backend.send({ type: 'drain.request', cause: 'lost', fate: this.#options.drain.whenLost });
    return backend;
  }

  /** A backend of the pool drains: one that an operator removed has nothing to say any more. */
  draining(backend: BackendActor): void {
    const channel = this.#channelFor(backend);
    if (channel === undefined) return;
    if (backend.info().draining === 'removed') this.#dismiss(channel, backend.id);
    else channel.say({ type: 'state', state: 'draining' });
  }

  /** A backend of the pool is picked from now on. */
  ready(backend: BackendActor): void {
    this.#channelFor(backend)?.say({ type: 'state', state: 'ready' });
  }

  gone(backend: BackendActor): void {
    const channel = this.#channelFor(backend);
    if (channel !== undefined) this.#dismiss(channel, backend.id);
  }

  #channelFor(backend: BackendActor): ControlChannel | undefined {
    const seat = this.#seats.get(backend.id);
    return seat?.backend === backend ? seat.channel : undefined;
  }

  #dismiss(channel: ControlChannel, id: string): void {
    this.#seats.delete(id);
    channel.refuse({ why: 'removed', message: `an operator removed ${JSON.stringify(id)}` });
  }

  #update(channel: ControlChannel, backend: BackendActor, update: Update): ControlRefusal | undefined {
    const { spec } = backend;
    const { bindings = spec.bindings, weight = spec.weight, capacity = spec.capacity, tags = spec.tags } = update;
    const changed = { bindings, weight, capacity, tags };
    const problem = this.#problemOf(channel, changed);
    if (problem === undefined) backend.update(specOf(changed, backend.id));
    return problem;
  }

  #problemOf(channel: ControlChannel, { bindings }: Advertisement): ControlRefusal | undefined {
    const { remoteAddress } = channel.request;
    for (const binding of bindings) {
      const message = problemOfAdvertisedFrom(binding, remoteAddress, this.#options.speaks);
      if (message !== undefined) return { why: 'invalid', message: `bindings: ${message}` };
    }
    return undefined;
  }

  #claimProblem(id: string, known: BackendActor | undefined, maxBackends: number): ControlRefusal | undefined {
    const name = JSON.stringify(id);
    if (!this.#seats.has(id) && this.#seats.size >= maxBackends) {
      return { why: 'full', message: `${maxBackends} backends are registered (control.maxBackends)` };
    }
    if (known === undefined) return undefined;
    const { source } = known.spec;
    if (source !== 'registered') {
      return { why: 'owned', message: `the id ${name} belongs to a backend that came by ${SOURCES[source]}` };
    }
    if (known.info().draining !== 'removed') return undefined;
    return {
      why: 'leaving',
      message: `the backend ${name} left, and has ${known.load} connections yet; try again later`,
    };
  }
}

const SOURCES: Readonly<Record<Exclude<BackendSpec['source'], 'registered'>, string>> = {
  config: 'configuration',
  api: 'an operator',
  dns: 'DNS',
};

function specOf({ bindings, weight = 1, capacity = 0, tags = [] }: Advertisement, id: string): BackendSpec {
  return { id, url: bindings[0]!, bindings, weight, capacity, tags, source: 'registered' };
}
