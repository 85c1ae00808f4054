/** Owns what one member of a group does for its own clients. Refuses to know others. */
import { connectionsAt, parseAddress } from '../../protocol/control/address.js';
import { readGroupMessage } from '../../protocol/control/group-action.js';
import type { GroupAction, GroupFilter } from '../../protocol/control/messages.js';
import type { Message, SendResult } from '../../receivers/index.js';
import type { BroadcastFilter, BroadcastReport } from '../broadcast.js';
import { NOTHING } from './tally.js';

/** The clients of one server, by the ids that they have there. A method that throws has the member reported as lost. */
export interface LocalClients {
  /** Sends to all that pass the filter. */
  broadcast(message: Message, filter: BroadcastFilter): BroadcastReport;
  /** Sends to one. */
  send(id: string, message: Message): SendResult | 'unknown';
  /** Sends a ping to all. */
  ping(payload: string): BroadcastReport;
  /** Begins to close them all. Answers with their number. */
  disconnectAll(): number;
}

/** For a member that cannot deliver. */
export const nobody: LocalClients = {
  broadcast: () => NOTHING,
  send: () => 'unknown',
  ping: () => NOTHING,
  disconnectAll: () => 0,
};

/**
 * Does for the clients of one member what an action asks for.
 *
 * @param self the id of the member: the addresses of an action are all with members.
 */
export function carryOut(clients: LocalClients, action: GroupAction, self: string): BroadcastReport {
  switch (action.verb) {
    case 'broadcast': {
      const filter = localFilter(action.filter ?? {}, self);
      return filter === undefined ? NOTHING : clients.broadcast(readGroupMessage(action.message), filter);
    }
    case 'send': {
      const { member, connection } = parseAddress(action.to);
      const result = member === self ? clients.send(connection, readGroupMessage(action.message)) : 'unknown';
      return result === 'unknown' ? NOTHING : { ...NOTHING, matched: 1, [result]: 1 };
    }
    case 'ping':
      return clients.ping(action.payload ?? '');
    case 'disconnectAll': {
      const matched = clients.disconnectAll();
      return { ...NOTHING, matched, accepted: matched };
    }
  }
}

/** Undefined when it is for clients of other members only. */
function localFilter({ channel, protocol, include, exclude }: GroupFilter, self: string): BroadcastFilter | undefined {
  const included = connectionsAt(self, include ?? []);
  if (included.length === 0 && include !== undefined && include.length > 0) return undefined;
  return {
    ...(channel === undefined ? {} : { channel }),
    ...(protocol === undefined ? {} : { protocol }),
    include: included,
    exclude: connectionsAt(self, exclude ?? []),
  };
}
