/** Owns the shortest way to an open connection in memory: one server, one client, one receiver. Refuses what needs more; a MemoryServer has it. */
import type { Connection, LifecycleReceiver, UpgradeRequest } from '../receivers/index.js';
import type { MemoryClient } from './memory-client.js';
import { type MemoryConnectOptions, MemoryServer, type MemoryServerOptions } from './memory-server.js';

/** What {@link openInMemory} takes: the options of the server, and how its client connects. */
export interface OpenInMemoryOptions
  extends MemoryServerOptions,
    Pick<MemoryConnectOptions, 'principal' | 'answersPings' | 'answersClose'> {
  /** What the client asks for. */
  readonly request?: Omit<MemoryConnectOptions, 'principal'> | undefined;
}

/** A connection in memory, with everything around it. */
export interface OpenedInMemory<Receiver> {
  /** What the receiver holds, too. */
  readonly connection: Connection;
  readonly client: MemoryClient;
  readonly receiver: Receiver;
  readonly server: MemoryServer;
  /** Cuts what there is, and stops the server. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a connection without sockets to a receiver, over everything that a real one goes through. Resolves when the client has its 101.
 *
 * @throws Error that says what was answered when the handshake was refused; TidegateError `INVALID_OPTION`.
 */
export async function openInMemory<Receiver extends LifecycleReceiver>(
  receiver: (request: UpgradeRequest) => Receiver,
  { request, principal, answersPings, answersClose, ...options }: OpenInMemoryOptions = {},
): Promise<OpenedInMemory<Receiver>> {
  const server = await MemoryServer.start(receiver, { principals: principal !== undefined, ...options });
  const stop = () => server.stop();
  try {
    const client = server.connect({ answersPings, answersClose, ...request, principal });
    const { status, body } = await client.answered();
    const connection = server.connectionOf(client);
    const made = server.receiverOf(client);
    if (status !== 101 || connection === undefined || made === undefined) {
      throw new Error(`the handshake was answered with ${status}: ${body.trim()}`);
    }
    return { connection, client, receiver: made as Receiver, server, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
