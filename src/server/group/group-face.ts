/** Owns how an application asks a group for something: checks what it is given and says what came of it. Refuses to carry it out. */
import { absoluteAddress, connectionsAt, formatAddress } from '../../protocol/control/address.js';
import {
  absoluteFilter,
  assertAddress,
  assertGroupFilter,
  assertGroupMessage,
  writeGroupMessage,
} from '../../protocol/control/group-action.js';
import type { GroupFilter } from '../../protocol/control/messages.js';
import { type Connection, type Message, TidegateError } from '../../receivers/index.js';
import type { Group, GroupReport, GroupSendResult } from './group.js';
import type { GroupMember } from './group-member.js';

/** The group of one server, whether that runs or not. */
export class GroupFace implements Group {
  readonly #member: () => GroupMember;
  readonly #deliveredBy: (connectionId: string) => string | undefined;

  /**
   * @param member throws when there is none now, and says why.
   * @param deliveredBy the member that delivers to a connection of this server, by another id; undefined when this one does. Default: so
   * for all.
   */
  constructor(member: () => GroupMember, deliveredBy: (connectionId: string) => string | undefined = () => undefined) {
    this.#member = member;
    this.#deliveredBy = deliveredBy;
  }

  async broadcast(message: Message, filter: GroupFilter = {}): Promise<GroupReport> {
    assertGroupMessage(message);
    const member = this.#member();
    assertGroupFilter(filter);
    const absolute = absoluteFilter(filter, member.id);
    assertGroupFilter(absolute);
    for (const name of ['include', 'exclude'] as const) {
      for (const id of connectionsAt(member.id, absolute[name] ?? [])) this.#assertDelivers(name, id);
    }
    return member.run({ verb: 'broadcast', message: writeGroupMessage(message), filter: absolute });
  }

  async send(address: string, message: Message): Promise<GroupSendResult> {
    assertGroupMessage(message);
    assertAddress(address);
    const member = this.#member();
    const to = absoluteAddress(address, member.id);
    assertAddress(to);
    return resultOf(await member.run({ verb: 'send', to, message: writeGroupMessage(message) }));
  }

  async ping(payload = ''): Promise<GroupReport> {
    assertGroupMessage(payload);
    return this.#member().run({ verb: 'ping', payload });
  }

  async disconnectAll(): Promise<GroupReport> {
    return this.#member().run({ verb: 'disconnectAll' });
  }

  addressOf({ id }: Pick<Connection, 'id'>): string {
    const member = this.#member();
    this.#assertDelivers('connection', id);
    return formatAddress(member.id, id);
  }

  /** What its backend does not know cannot be told to it, and nothing is better than what is for others. */
  #assertDelivers(name: string, id: string): void {
    const backend = this.#deliveredBy(id);
    if (backend === undefined) return;
    const why = `the backend ${JSON.stringify(backend)} delivers to that client and knows it by another id`;
    throw new TidegateError('INVALID_OPTION', `${name}: got ${JSON.stringify(id)}; ${why}: expected its address there`);
  }
}

function resultOf({ accepted, queued, dropped, matched, complete }: GroupReport): GroupSendResult {
  if (matched === 0) return complete ? 'unknown' : 'lost';
  if (accepted > 0) return 'accepted';
  if (queued > 0) return 'queued';
  return dropped > 0 ? 'dropped' : 'closed';
}
