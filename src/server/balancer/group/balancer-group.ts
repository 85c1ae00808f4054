/**
 * Owns a balancer's part in its group: which backends deliver messages to their clients themselves, by which channels, and which
 * clients are left to the balancer. Refuses to know what is said on a channel, and to deliver.
 */
import { randomBytes } from 'node:crypto';
import type { ConnectionActor } from '../../../actors/connection-actor.js';
import type { PoolActor } from '../../../actors/pool-actor.js';
import type { SupervisorActor } from '../../../actors/supervisor-actor.js';
import type { GroupCommand, GroupResult } from '../../../protocol/control/messages.js';
import type { BalancerConfig } from '../../config/balancer/options.js';
import type { Deputy } from '../../group/group-face.js';
import { GroupMember } from '../../group/group-member.js';
import type { GroupPeer, GroupPeers } from '../../group/group-peer.js';
import { RegistryClients } from '../../group/registry-clients.js';
import type { ControlChannel, ControlRefusal } from '../control/control-channel.js';
import type { ControlPlane, GroupListener } from '../control/control-plane.js';
import type { Pairs } from '../pairs.js';

/** What a balancer's part is made of. */
export interface BalancerGroupOptions {
  readonly control: ControlPlane;
  readonly pool: PoolActor;
  readonly pairs: Pairs;
  readonly supervisor: SupervisorActor;
  readonly config: Pick<BalancerConfig, 'control' | 'mode' | 'redirect'>;
  exception(error: unknown): void;
}

/** The balancer among the members of its group. */
export class BalancerGroup implements GroupListener {
  readonly member: GroupMember;
  readonly #options: BalancerGroupOptions;
  readonly #peers = new Map<ControlChannel, GroupPeer>();
  /** Backends that deliver to their clients and have no channel now. They may be back, or be gone, by the time this is asked. */
  readonly #cutOff = new Set<string>();

  constructor(options: BalancerGroupOptions) {
    this.#options = options;
    const { control, supervisor, config, exception } = options;
    this.member = new GroupMember({
      id: control.balancer,
      epoch: randomBytes(6).toString('base64url'),
      role: 'balancer',
      timeout: config.control.groupTimeout,
      clients: new RegistryClients(
        () => supervisor,
        (connection) => this.#isOurs(connection),
      ),
      peersFor: (concerned) => this.#peersFor(concerned),
      exception,
    });
    control.group = this;
  }

  /** The backend that delivers to a client in place of the balancer; undefined when the balancer does. */
  deliveredBy(connectionId: string): string | undefined {
    const { control, pairs } = this.#options;
    const backend = pairs.backendOf(connectionId);
    if (backend === undefined) return undefined;
    const channel = control.registrar.channelOf(backend.id);
    const delivers = channel === undefined ? this.#cutOff.has(backend.id) : deliversMessages(channel);
    return delivers ? backend.id : undefined;
  }

  /** The same, and what the connection is called there. */
  deputyOf(connectionId: string): Deputy | undefined {
    const member = this.deliveredBy(connectionId);
    if (member === undefined) return undefined;
    return { member, connection: this.#options.supervisor.registry.get(connectionId)?.port.nameAtTarget };
  }

  close(): void {
    this.member.close();
  }

  // What the channels tell.

  command(channel: ControlChannel, command: GroupCommand): ControlRefusal | undefined {
    const problem = this.member.receive(this.#peerOf(channel), command);
    return problem === undefined ? undefined : { why: 'malformed', message: `command: ${problem}` };
  }

  result(channel: ControlChannel, result: GroupResult): void {
    this.member.answered(this.#peerOf(channel), result);
  }

  over(channel: ControlChannel): void {
    const peer = this.#peers.get(channel);
    const id = channel.registration?.id;
    if (id !== undefined && deliversMessages(channel)) this.#cutOff.add(id);
    if (peer === undefined) return;
    this.#peers.delete(channel);
    this.member.gone(peer);
  }

  #isOurs({ id, handle }: ConnectionActor): boolean {
    const { mode, redirect } = this.#options.config;
    // One that asks where to go is on its way to where it gets messages.
    if (mode === 'redirect' && handle.subprotocol === redirect.subprotocol) return false;
    return this.deliveredBy(id) === undefined;
  }

  #peersFor(concerned: ReadonlySet<string> | undefined): GroupPeers {
    const isConcerned = (id: string) => concerned === undefined || concerned.has(id);
    const asked: GroupPeer[] = [];
    for (const channel of this.#options.control.registrar.channels()) {
      if (deliversMessages(channel) && isConcerned(idOf(channel))) asked.push(this.#peerOf(channel));
    }
    return { asked, absent: this.#absent().filter(isConcerned) };
  }

  /** Those whose clients nobody reaches: they may be there yet, and only their backend knows which of them are meant. */
  #absent(): string[] {
    const { control, pool } = this.#options;
    for (const id of this.#cutOff) {
      if (pool.get(id) === undefined || control.registrar.channelOf(id) !== undefined) this.#cutOff.delete(id);
    }
    return [...this.#cutOff];
  }

  #peerOf(channel: ControlChannel): GroupPeer {
    let peer = this.#peers.get(channel);
    if (peer === undefined) {
      peer = { id: idOf(channel), speaksForOthers: false, send: (text) => channel.hand(text) };
      this.#peers.set(channel, peer);
    }
    return peer;
  }
}

function deliversMessages({ registration }: ControlChannel): boolean {
  return registration?.features?.includes('messages') === true;
}

function idOf({ registration }: ControlChannel): string {
  return registration?.id ?? '';
}
