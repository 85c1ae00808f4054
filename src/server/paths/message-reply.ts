/** Owns what a receiver's answer to a message means. Refuses to send it. */
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { DROP, type MessageReply } from '../../receivers/index.js';
import type { MessageKind } from './message-writer.js';
import { asBuffer } from './own-sends.js';

/** A message on its way. */
export interface MessageToPass {
  readonly kind: MessageKind;
  readonly data: Buffer;
}

/**
 * What goes on in place of a message; undefined for nothing. A program that is not type checked may return anything: that is told to the
 * connection as if the receiver had thrown.
 */
export function messageToPass(
  connection: ConnectionActor,
  kind: MessageKind,
  data: Buffer,
  reply: MessageReply,
): MessageToPass | undefined {
  if (reply === DROP) return undefined;
  if (reply === undefined) return { kind, data };
  if (typeof reply === 'string') return { kind: 'text', data: Buffer.from(reply) };
  if (reply instanceof Uint8Array) return { kind: 'binary', data: asBuffer(reply) };
  connection.onInvalidReply(reply);
  return undefined;
}
