/**
 * Owns the shapes of what a balancer and a backend tell each other on a control channel, version 1: JSON objects, one in each text message.
 * Refuses to read or write them, and to decide what follows.
 */

/** The subprotocol of a control channel. */
export const CONTROL_SUBPROTOCOL = 'tidegate.control.v1';

/** The version of the messages here. */
export const CONTROL_VERSION = 1;

// What a balancer says.

/** The first message: what the backend has to prove that it knows a token for. */
export interface Challenge {
  readonly type: 'challenge';
  readonly version: number;
  /** At least 16 random bytes, base64url; used once. */
  readonly nonce: string;
  /** Tells one balancer from another, and one start of it from the next. */
  readonly balancer: string;
}

/** The backend is known. */
export interface Registered {
  readonly type: 'registered';
  readonly generation: number;
  /** Something must be said at least this often, in milliseconds; a third of it is a good pace. */
  readonly leaseMs: number;
  /** The largest message that the balancer reads, in bytes; left out or 0 for any. */
  readonly maxBytes?: number | undefined;
  /** That the balancer knows the token, too; absent where there is none. */
  readonly proof?: string | undefined;
}

/** Why a balancer refuses a registration or ends a channel. What is not known is to be taken for one that may pass. */
export type RefusalReason =
  /** No message of this protocol, one that came out of turn, or binary. */
  | 'malformed'
  /** Larger than a message of its kind may be. */
  | 'too-large'
  /** Another version of the messages. Final. */
  | 'unsupported'
  /** No proof, a wrong one, or no client certificate that may register. */
  | 'unauthorized'
  /** The registration did not come in time. */
  | 'timeout'
  /** An address where no client could be sent. */
  | 'invalid'
  /** The id belongs to a backend that did not register itself. */
  | 'owned'
  /** The backend of this id left, and some of its connections are still there. */
  | 'leaving'
  /** There are as many backends as there may be. */
  | 'full'
  /** Too many are about to register. */
  | 'busy'
  /** The lease ended: nothing was said for too long. */
  | 'silent'
  /** The same id registered anew elsewhere. Final. */
  | 'superseded'
  /** An operator removed the backend. Final. */
  | 'removed';

/** After these it makes no sense to come back without something being changed. */
export const FINAL_REASONS: readonly string[] = ['unsupported', 'superseded', 'removed'] satisfies RefusalReason[];

/** The registration, or what followed, is refused; the channel is closed with 1008 behind it. */
export interface Refused {
  readonly type: 'refused';
  /** One of {@link RefusalReason}; a later version may have others. */
  readonly why: string;
  readonly message: string;
}

/** What the backend is for the balancer from now on: `ready`, it may be picked; or `draining`, by itself or by an operator. For its information. */
export interface StateNotice {
  readonly type: 'state';
  readonly state: 'ready' | 'draining';
}

// What a backend says.

/** What a backend says of itself. */
export interface Advertisement {
  /** Where it is reached: the first is where clients are relayed to, all are handed out, best first. */
  readonly bindings: readonly string[];
  /** Default: 1. */
  readonly weight?: number | undefined;
  /** Default: 0, any number. */
  readonly capacity?: number | undefined;
  readonly tags?: readonly string[] | undefined;
}

/** The answer to the challenge. */
export interface Register extends Advertisement {
  readonly type: 'register';
  readonly version: number;
  readonly id: string;
  /** At least 16 random bytes of its own, base64url. */
  readonly nonce: string;
  /** HMAC-SHA-256 by the token; absent with a client certificate. */
  readonly proof?: string | undefined;
  /** Connected is not ready: whether it may be picked at once. */
  readonly ready: boolean;
  /** What it can do beside: `messages` when it delivers messages to its own clients. */
  readonly features?: readonly string[] | undefined;
}

/** It is there, and has so many connections. Renews the lease, as every other message does. */
export interface Load {
  readonly type: 'load';
  readonly connections: number;
}

/** Something of what it said of itself is otherwise now. */
export interface Update extends Partial<Advertisement> {
  readonly type: 'update';
}

/** It may be picked, wants no more clients, wants clients again, or goes for good. */
export interface Intent {
  readonly type: 'ready' | 'drain' | 'resume' | 'leave';
}

// What both say: messages for clients that are somewhere else.

/** What is to be done for clients. */
export type GroupAction =
  | { readonly verb: 'broadcast'; readonly message: GroupMessage; readonly filter?: GroupFilter | undefined }
  | { readonly verb: 'send'; readonly to: string; readonly message: GroupMessage }
  | { readonly verb: 'ping'; readonly payload?: string | undefined }
  | { readonly verb: 'disconnectAll' };

/** Text, or bytes as base64. */
export type GroupMessage = { readonly text: string } | { readonly base64: string };

/** Filters are combined with "and"; `exclude` always wins. Ids are addresses: `backend/connection`. */
export interface GroupFilter {
  readonly channel?: string | undefined;
  readonly protocol?: string | undefined;
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** A backend asks the balancer to do something for all; or the balancer asks a backend to do it for its own clients. */
export interface GroupCommand {
  readonly type: 'command';
  /** Of whoever hands this copy on: the result carries it. */
  readonly id: string;
  /** The id of the backend or balancer that it began at. */
  readonly origin: string;
  /** Tells one start of the origin from the next, such as eight random characters. */
  readonly epoch: string;
  /** Grows with each command of one start of the origin: who has seen this one, or a later one, does not carry it out. */
  readonly sequence: number;
  /** How many more times it may be handed on. */
  readonly hops: number;
  /** Milliseconds for which the sender of this copy waits for the result. */
  readonly waitMs: number;
  readonly action: GroupAction;
}

/** What became of a command. */
export interface GroupResult {
  readonly type: 'result';
  /** That of the command. */
  readonly id: string;
  readonly matched: number;
  readonly accepted: number;
  readonly queued: number;
  readonly dropped: number;
  readonly closed: number;
  /** Who carried it out, by id; empty from one who had seen it before. */
  readonly reached: readonly string[];
  /** Who was asked and did not answer, or could not be asked, by id. */
  readonly lost: readonly string[];
}

/** What a balancer may say. */
export type BalancerMessage = Challenge | Registered | Refused | StateNotice | GroupCommand | GroupResult;

/** What a backend may say. */
export type BackendMessage = Register | Load | Update | Intent | GroupCommand | GroupResult;
