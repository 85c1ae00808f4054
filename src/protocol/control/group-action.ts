/**
 * Owns what an action for the clients of a group has to be like: the message in it, the addresses that travel with it, and whom it
 * concerns. Refuses to carry it out.
 */
import { type Message, TidegateError } from '../../receivers/index.js';
import { absoluteAddress, parseAddress } from './address.js';
import { groupFilter, groupId } from './group-fields.js';
import type { GroupAction, GroupFilter, GroupMessage } from './messages.js';

/** The largest message for clients that a command carries, in bytes. */
export const MAX_GROUP_MESSAGE_BYTES = 8 * 1024 * 1024;

/**
 * The largest command, in bytes: the largest message, each byte of which JSON may write as six, and the longest lists of addresses. What
 * clients may send, `limits.maxMessageBytes`, is for clients.
 */
export const MAX_COMMAND_BYTES = 64 * 1024 * 1024;

const MAX_PING_BYTES = 125;

/** Writes a message so that JSON can hold it. */
export function writeGroupMessage(message: Message): GroupMessage {
  if (typeof message === 'string') return { text: message };
  return { base64: Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString('base64') };
}

/** Reads it. */
export function readGroupMessage(message: GroupMessage): Message {
  return 'text' in message ? message.text : Buffer.from(message.base64, 'base64');
}

/** How many bytes an action asks to send to each client. */
export function payloadBytes(action: GroupAction): number {
  switch (action.verb) {
    case 'broadcast':
    case 'send':
      return 'text' in action.message
        ? Buffer.byteLength(action.message.text)
        : Buffer.byteLength(action.message.base64, 'base64');
    case 'ping':
      return Buffer.byteLength(action.payload ?? '');
    case 'disconnectAll':
      return 0;
  }
}

/**
 * What is wrong with an action; undefined for nothing.
 *
 * @param maxBytes of one message.
 */
export function problemOf(action: GroupAction, maxBytes: number): string | undefined {
  const bytes = payloadBytes(action);
  const most = action.verb === 'ping' ? MAX_PING_BYTES : maxBytes;
  if (bytes <= most) return undefined;
  const what = action.verb === 'ping' ? 'a ping payload' : 'a message for a group';
  return `${what} of ${bytes} bytes; at most ${most} fit`;
}

/** @throws TidegateError `INVALID_MESSAGE` for what is no message. */
export function assertGroupMessage(message: unknown): asserts message is Message {
  if (typeof message === 'string' || message instanceof Uint8Array) return;
  throw new TidegateError(
    'INVALID_MESSAGE',
    `a message of type ${typeof message}; it must be a string or a Uint8Array`,
  );
}

/**
 * Judges a filter as whoever reads it from a channel does.
 *
 * @throws TidegateError `INVALID_OPTION` that names what is wrong.
 */
export function assertGroupFilter(filter: unknown): asserts filter is GroupFilter {
  const { error } = groupFilter.safeParse(filter);
  const [issue] = error?.issues ?? [];
  if (issue === undefined) return;
  const name = issue.path.map(String).join('.');
  throw new TidegateError('INVALID_OPTION', `a filter for a group: ${name === '' ? '' : `${name}: `}${issue.message}`);
}

/** @throws TidegateError `INVALID_OPTION` for what is no address. */
export function assertAddress(address: unknown): asserts address is string {
  const { error } = groupId.safeParse(address);
  if (error !== undefined) throw new TidegateError('INVALID_OPTION', `an address: ${error.issues[0]?.message}`);
}

/** A filter whose addresses mean the same everywhere. */
export function absoluteFilter({ channel, protocol, include, exclude }: GroupFilter, here: string): GroupFilter {
  return {
    channel,
    protocol,
    include: include?.map((address) => absoluteAddress(address, here)),
    exclude: exclude?.map((address) => absoluteAddress(address, here)),
  };
}

/** The members that an action concerns, by what it says itself; undefined for all. */
export function membersOf(action: GroupAction): ReadonlySet<string> | undefined {
  const addresses = action.verb === 'send' ? [action.to] : action.verb === 'broadcast' ? action.filter?.include : [];
  if (addresses === undefined || addresses.length === 0) return undefined;
  return new Set(addresses.flatMap((address) => parseAddress(address).member ?? []));
}
