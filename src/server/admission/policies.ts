/**
 * Owns the order in which policies are asked, what they are owed, and what it means when one throws. Refuses to know what they look
 * at.
 */
import { type Connection, describeError } from '../../receivers/index.js';
import type { AdmissionPolicy, Denial, MessageFacts, Peer } from './policy.js';

/** A denial, and whose it is. */
export interface PolicyDenial {
  readonly denial: Denial;
  readonly policy: string;
}

/** The policies of one server. */
export class Policies {
  /** Whether any policy wants to be asked about messages. */
  readonly readsMessages: boolean;
  readonly #all: readonly AdmissionPolicy[];
  readonly #ofMessages: readonly AdmissionPolicy[];
  readonly #exception: (error: unknown) => void;

  constructor(all: readonly AdmissionPolicy[], exception: (error: unknown) => void) {
    this.#all = all;
    this.#ofMessages = all.filter(({ message }) => message !== undefined);
    this.readsMessages = this.#ofMessages.length > 0;
    this.#exception = exception;
  }

  /** How many there are: an admitted connection is owed so many releases. */
  get count(): number {
    return this.#all.length;
  }

  /** Asks about a connection, up to the first denial; then those that admitted it are told to release. */
  connection(peer: Peer): PolicyDenial | undefined {
    const all = this.#all;
    for (let index = 0; index < all.length; index += 1) {
      const policy = all[index]!;
      let denial: Denial | undefined;
      try {
        denial = policy.connection?.(peer);
      } catch (error) {
        denial = this.#failed(policy, error);
      }
      if (denial === undefined) continue;
      this.release(peer, index);
      return { denial, policy: policy.name };
    }
    return undefined;
  }

  /** Asks about a message, up to the first denial. */
  message(connection: Connection, message: MessageFacts): PolicyDenial | undefined {
    for (const policy of this.#ofMessages) {
      let denial: Denial | undefined;
      try {
        denial = policy.message?.(connection, message);
      } catch (error) {
        denial = this.#failed(policy, error);
      }
      if (denial !== undefined) return { denial, policy: policy.name };
    }
    return undefined;
  }

  /** Tells the first `count` policies, the last of them first, that a connection they admitted is gone. */
  release(peer: Peer, count: number): void {
    for (let index = count - 1; index >= 0; index -= 1) {
      try {
        this.#all[index]!.release?.(peer);
      } catch (error) {
        this.#exception(error);
      }
    }
  }

  #failed({ name }: AdmissionPolicy, error: unknown): Denial {
    this.#exception(error);
    return { error: 'RECEIVER_FAILED', message: `the policy ${name} threw: ${describeError(error)}` };
  }
}
