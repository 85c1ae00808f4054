/** Owns how an application asks a group for something: checks what it is given and says what came of it. Refuses to carry it out. */
import { formatAddress, parseAddress } from '../../protocol/control/address.js';
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

/** Who delivers to a connection in place of the server that has it. */
export interface Deputy {
  readonly member: string;
  /** What the connection is called there; undefined when that is not known. */
  readonly connection: string | undefined;
}

/** The group of one server, whether that runs or not. */
export class GroupFace implements Group {
  readonly #member: () => GroupMember;
  readonly #deputyOf: (connectionId: string) => Deputy | undefined;

  /**
   * @param member throws when there is none now, and says why.
   * @param deputyOf who delivers to a connection of this server instead of it. Default: nobody.
   */
  constructor(member: () => GroupMember, deputyOf: (connectionId: string) => Deputy | undefined = () => undefined) {
    this.#member = member;
    this.#deputyOf = deputyOf;
  }

  async broadcast(message: Message, filter: GroupFilter = {}): Promise<GroupReport> {
    assertGroupMessage(message);
    const member = this.#member();
    assertGroupFilter(filter);
    const absolute = absoluteFilter(filter, (address) => this.#absolute(address, member.id));
    assertGroupFilter(absolute);
    return member.run({ verb: 'broadcast', message: writeGroupMessage(message), filter: absolute });
  }

  async send(address: string, message: Message): Promise<GroupSendResult> {
    assertGroupMessage(message);
    assertAddress(address);
    const member = this.#member();
    const to = this.#absolute(address, member.id);
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
    return this.#absolute(id, this.#member().id);
  }

  /** What its backend does not know cannot be told to it, and to tell others instead would be worse than to tell nobody. */
  #absolute(address: string, here: string): string {
    const { member = here, connection } = parseAddress(address);
    const deputy = member === here ? this.#deputyOf(connection) : undefined;
    if (deputy === undefined) return formatAddress(member, connection);
    if (deputy.connection !== undefined) return formatAddress(deputy.member, deputy.connection);
    const why = `the backend ${JSON.stringify(deputy.member)} delivers to that client and did not say by which id it knows it`;
    throw new TidegateError('INVALID_OPTION', `${JSON.stringify(connection)}: ${why}; expected its address there`);
  }
}

function resultOf({ accepted, queued, dropped, matched, complete }: GroupReport): GroupSendResult {
  if (matched === 0) return complete ? 'unknown' : 'lost';
  if (accepted > 0) return 'accepted';
  if (queued > 0) return 'queued';
  return dropped > 0 ? 'dropped' : 'closed';
}
