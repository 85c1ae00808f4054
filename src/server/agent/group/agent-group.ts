/** Owns a backend's part in the groups of its balancers: by which channels they are reached, and who is not. Refuses to deliver. */
import { randomBytes } from 'node:crypto';
import type { GroupCommand, GroupResult } from '../../../protocol/control/messages.js';
import { TidegateError } from '../../../receivers/errors.js';
import { GroupMember } from '../../group/group-member.js';
import type { GroupPeer, GroupPeers } from '../../group/group-peer.js';
import { type LocalClients, nobody } from '../../group/local-clients.js';
import type { BalancerLink } from '../balancer-link.js';

/** What a backend's part is made of. */
export interface AgentGroupOptions {
  readonly id: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** The clients of the backend; undefined when it cannot deliver to them. */
  readonly clients: LocalClients | undefined;
  /** Every balancer it is told to register with. */
  readonly links: () => readonly BalancerLink[];
  exception(error: unknown): void;
}

/** A backend among the members of its groups. */
export class AgentGroup {
  readonly member: GroupMember;
  /** What it can do, for the registration. */
  readonly features: readonly string[];
  readonly #options: AgentGroupOptions;
  readonly #peers = new Map<BalancerLink, GroupPeer>();

  constructor(options: AgentGroupOptions) {
    this.#options = options;
    const { id, timeout, clients, exception } = options;
    this.features = clients === undefined ? [] : ['messages'];
    this.member = new GroupMember({
      id,
      epoch: randomBytes(6).toString('base64url'),
      role: 'backend',
      timeout,
      clients: clients ?? nobody,
      peersFor: (concerned) => this.#peersFor(concerned),
      refusal: (concerned) => this.#refusal(concerned),
      exception,
    });
  }

  // What the channels tell. A balancer is believed: its token was proven, or its certificate.

  command(link: BalancerLink, command: GroupCommand): void {
    const problem = this.member.receive(this.#peerOf(link), command);
    if (problem !== undefined) this.#options.exception(new TidegateError('INVALID_MESSAGE', `${link.url}: ${problem}`));
  }

  result(link: BalancerLink, result: GroupResult): void {
    this.member.answered(this.#peerOf(link), result);
  }

  lost(link: BalancerLink): void {
    const peer = this.#peers.get(link);
    if (peer === undefined) return;
    this.#peers.delete(link);
    this.member.gone(peer);
  }

  #refusal(concerned: ReadonlySet<string> | undefined): TidegateError | undefined {
    if (this.#isOwnAffair(concerned) || this.#peersFor(concerned).asked.length > 0) return undefined;
    return new TidegateError(
      'NOT_REGISTERED',
      `${JSON.stringify(this.#options.id)} is registered with no balancer now`,
    );
  }

  #peersFor(concerned: ReadonlySet<string> | undefined): GroupPeers {
    if (this.#isOwnAffair(concerned)) return { asked: [], absent: [] };
    const asked: GroupPeer[] = [];
    const absent: string[] = [];
    for (const link of this.#options.links()) {
      if (link.state === 'registered') asked.push(this.#peerOf(link));
      // One that it does not come back to is none of its balancers any more.
      else if (link.state !== 'stopped') absent.push(link.balancer ?? link.url);
    }
    return { asked, absent };
  }

  #isOwnAffair(concerned: ReadonlySet<string> | undefined): boolean {
    return concerned?.size === 1 && concerned.has(this.#options.id);
  }

  #peerOf(link: BalancerLink): GroupPeer {
    let peer = this.#peers.get(link);
    if (peer === undefined) {
      peer = { id: link.balancer ?? link.url, speaksForOthers: true, send: (text) => link.hand(text) };
      this.#peers.set(link, peer);
    }
    return peer;
  }
}
