/** Owns how an application asks a group for something: checks what it is given and says what came of it. Refuses to carry it out. */
import { absoluteAddress, formatAddress } from '../../protocol/control/address.js';
import {
  absoluteFilter,
  assertAddress,
  assertGroupFilter,
  assertGroupMessage,
  writeGroupMessage,
} from '../../protocol/control/group-action.js';
import type { GroupFilter } from '../../protocol/control/messages.js';
import type { Connection, Message } from '../../receivers/index.js';
import type { Group, GroupReport, GroupSendResult } from './group.js';
import type { GroupMember } from './group-member.js';

/** The group of one server, whether that runs or not. */
export class GroupFace implements Group {
  readonly #member: () => GroupMember;

  /** @param member throws when there is none now, and says why. */
  constructor(member: () => GroupMember) {
    this.#member = member;
  }

  async broadcast(message: Message, filter: GroupFilter = {}): Promise<GroupReport> {
    assertGroupMessage(message);
    const member = this.#member();
    assertGroupFilter(filter);
    const absolute = absoluteFilter(filter, member.id);
    assertGroupFilter(absolute);
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
    return formatAddress(this.#member().id, id);
  }
}

function resultOf({ accepted, queued, dropped, matched, complete }: GroupReport): GroupSendResult {
  if (matched === 0) return complete ? 'unknown' : 'lost';
  if (accepted > 0) return 'accepted';
  if (queued > 0) return 'queued';
  return dropped > 0 ? 'dropped' : 'closed';
}
