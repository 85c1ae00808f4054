/**
 * Owns the control channels of one running balancer: which handshakes are theirs, how many strangers there may be, whether they know a
 * token, and who is told of what. Refuses to know what a registration does to the pool; the registrar does.
 */
import { randomUUID } from 'node:crypto';
import type { BackendActor } from '../../../actors/backend-actor.js';
import type { PoolActor } from '../../../actors/pool-actor.js';
import { MAX_COMMAND_BYTES } from '../../../protocol/control/group-action.js';
import type { GroupCommand, GroupResult, RefusalReason, Register } from '../../../protocol/control/messages.js';
import { MAX_CONTROL_BYTES } from '../../../protocol/control/read-message.js';
import type { RequestHead } from '../../../protocol/http-head.js';
import { CloseCode, type CloseStatus, type LifecycleReceiver } from '../../../receivers/index.js';
import { OFFENCES } from '../../admission/offences.js';
import type { BalancerConfig } from '../../config/balancer/options.js';
import type { ListenerRole } from '../../config/listen.js';
import type { Speech } from '../../dial/advertised-address.js';
import type { ExtensionBase } from '../../server-extension.js';
import type { LoadBalancerEvents } from '../balancer-events.js';
import {
  type ChannelHost,
  ControlChannel,
  type ControlRefusal,
  type LaterMessage,
  type Taken,
} from './control-channel.js';
import { judgeCredentials } from './credentials.js';
import { Registrar } from './registrar.js';
import type { RegistrationCounts } from './registration-counts.js';

/**
 * Channels that are open and did not register yet, at least: as many as there may be backends, which all come at once when a balancer
 * starts again. One more, and the oldest is cut: a backend answers at once.
 */
const MAX_STRANGERS = 256;

/** What adds to the score of an address; the rest may be an honest mistake. */
const WEIGHTS: Readonly<Partial<Record<RefusalReason, number>>> = {
  unauthorized: OFFENCES.failedAuthentication,
  malformed: OFFENCES.badHandshake,
  'too-large': OFFENCES.badHandshake,
  timeout: OFFENCES.badHandshake,
};

/** What control channels need. */
export interface ControlOptions {
  readonly config: BalancerConfig;
  readonly pool: PoolActor;
  /** What the backends of this balancer speak. */
  readonly speaks: Speech;
  readonly base: Pick<ExtensionBase, 'supervisor' | 'offence' | 'refused'>;
  readonly counts: RegistrationCounts;
  tell<Name extends keyof LoadBalancerEvents>(name: Name, ...values: LoadBalancerEvents[Name]): void;
}

/** Who carries messages for clients of other servers. Nothing in it may throw. */
export interface GroupListener {
  /** Answers with what is wrong with it, for which the channel is ended; undefined for nothing. */
  command(from: ControlChannel, command: GroupCommand): ControlRefusal | undefined;
  result(from: ControlChannel, result: GroupResult): void;
  /** A registered backend has nothing to say any more. */
  over(channel: ControlChannel): void;
}

/** The control channels of a balancer. */
export class ControlPlane implements ChannelHost {
  readonly balancer = randomUUID();
  readonly registrationTimeout: number;
  readonly lease: number;
  readonly maxBytes = MAX_COMMAND_BYTES;
  readonly registrar: Registrar;
  /** Told about what concerns clients elsewhere. */
  group: GroupListener | undefined;
  readonly #options: ControlOptions;
  /** In the order they came. */
  readonly #strangers = new Set<ControlChannel>();

  constructor(options: ControlOptions) {
    this.#options = options;
    const { config, pool, speaks } = options;
    this.registrationTimeout = config.timeouts.handshake;
    this.lease = config.control.lease;
    this.registrar = new Registrar({ pool, speaks, drain: config.drain, maxBackends: config.control.maxBackends });
  }

  isControl({ url }: RequestHead, role: ListenerRole): boolean {
    if (role === 'control') return true;
    const { path } = this.#options.config.control;
    return path !== undefined && url.split('?', 1)[0] === path;
  }

  createControl(): LifecycleReceiver {
    return new ControlChannel(this);
  }

  // What the channels tell.

  opened(channel: ControlChannel): void {
    this.#options.tell('backend.connected', channel.handle);
    const [oldest] = this.#strangers;
    if (oldest !== undefined && this.#strangers.size >= this.#maxStrangers()) {
      oldest.refuse({ why: 'busy', message: 'too many are about to register; try again' });
      // It may not answer the Close frame, and its room is needed now.
      oldest.handle.terminate();
    }
    this.#strangers.add(channel);
    // Nobody who is not known is read at length; what is a little too large is answered in words yet.
    this.#limitMessages(channel, 2 * MAX_CONTROL_BYTES);
  }

  register(channel: ControlChannel, register: Register): Taken | ControlRefusal {
    const { request, nonce: challenge } = channel;
    const parts = { balancer: this.balancer, challenge };
    const credited = judgeCredentials(this.#options.config.control, register, parts, request.tls);
    // Who is not known learns nothing about ids and limits.
    if ('fault' in credited) return { why: 'unauthorized', message: credited.fault };
    const taken = this.registrar.register(channel, register);
    if ('why' in taken) return { ...taken, backend: register.id };
    this.#strangers.delete(channel);
    this.#limitMessages(channel, this.maxBytes);
    this.#options.counts.accept();
    return { ...taken, proof: credited.proof };
  }

  settled(channel: ControlChannel, register: Register): void {
    this.registrar.settle(channel, register);
  }

  heard(channel: ControlChannel, message: LaterMessage): ControlRefusal | undefined {
    if (message.type === 'command') return this.group?.command(channel, message);
    if (message.type === 'result') this.group?.result(channel, message);
    else {
      const refusal = this.registrar.heard(channel, message);
      if (message.type === 'leave') channel.end(1000, 'left');
      return refusal;
    }
    return undefined;
  }

  refused(channel: ControlChannel, { why, message, backend }: ControlRefusal): void {
    const { base, counts, tell } = this.#options;
    const { remoteAddress } = channel.request;
    counts.refuse(why);
    base.refused('REGISTRATION_REFUSED');
    const weight = WEIGHTS[why];
    if (weight !== undefined && channel.registration === undefined)
      base.offence({ remoteAddress }, weight, `control: ${why}`);
    tell('registration.refused', { why, message, remoteAddress, backend: channel.registration?.id ?? backend });
  }

  over(channel: ControlChannel, code: CloseStatus): void {
    this.#strangers.delete(channel);
    if (channel.registration === undefined) {
      // The data path has ended it already.
      if (code === CloseCode.MessageTooBig)
        this.refused(channel, { why: 'too-large', message: 'a message is far too large' });
      return;
    }
    const lost = this.registrar.lose(channel);
    this.group?.over(channel);
    if (lost !== undefined) this.#options.tell('backend.lost', lost.info(), code);
  }

  /** Of the room that is kept for backends one place is left, so that the next one gets in, whoever the others are. */
  #maxStrangers(): number {
    const { control, limits } = this.#options.config;
    const most = Math.max(MAX_STRANGERS, control.maxBackends);
    const { reservedConnections: reserved } = limits;
    return reserved > 0 ? Math.max(1, Math.min(most, reserved - this.registrar.size - 1)) : most;
  }

  #limitMessages({ handle }: ControlChannel, bytes: number): void {
    this.#options.base.supervisor.registry.get(handle.id)?.port.limitMessages?.(bytes);
  }

  // What the pool tells.

  ready(backend: BackendActor): void {
    this.registrar.ready(backend);
  }

  draining(backend: BackendActor): void {
    this.registrar.draining(backend);
  }

  gone(backend: BackendActor): void {
    this.registrar.gone(backend);
  }
}
