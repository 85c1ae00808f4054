/**
 * Owns one control channel, from its handshake to its end: the challenge, its deadline, the lease, and what is said in which order.
 * Refuses to know other channels and the pool; the registrar does.
 */
import { randomBytes } from 'node:crypto';
import {
  type BackendMessage,
  type BalancerMessage,
  CONTROL_SUBPROTOCOL,
  CONTROL_VERSION,
  type RefusalReason,
  type Refused,
  type Register,
} from '../../../protocol/control/messages.js';
import {
  MAX_CONTROL_BYTES,
  readBackendMessage,
  tooLarge,
  writeControlMessage,
} from '../../../protocol/control/read-message.js';
import {
  accept,
  CloseCode,
  type CloseStatus,
  type Connection,
  ConnectionReceiver,
  reject,
  type UpgradeDecision,
  type UpgradeRequest,
} from '../../../receivers/index.js';

/** How long it takes at most to read what came while this process was away, in milliseconds. */
const MOST_GRACE = 250;

/** What is said after the registration. */
export type LaterMessage = Exclude<BackendMessage, Register>;

/** A registration that was taken. */
export interface Taken {
  readonly generation: number;
  readonly proof: string | undefined;
}

/** Why something is refused. */
export interface ControlRefusal {
  readonly why: RefusalReason;
  readonly message: string;
  /** The id that was wanted, where it came to that. */
  readonly backend?: string | undefined;
}

/** Who decides about what comes over a channel. Nothing in it may throw. */
export interface ChannelHost {
  /** Tells this balancer and this start of it from others. */
  readonly balancer: string;
  /** Milliseconds from the 101 to the registration. */
  readonly registrationTimeout: number;
  /** Milliseconds of silence after which a backend is lost. */
  readonly lease: number;
  /** The largest message that is read, in bytes; 0 for any. */
  readonly maxBytes: number;
  /** It is open, and nobody knows whose it is. */
  opened(channel: ControlChannel): void;
  register(channel: ControlChannel, register: Register): Taken | ControlRefusal;
  /** The backend knows that it is registered. */
  settled(channel: ControlChannel, register: Register): void;
  /** Something was said after that. */
  heard(channel: ControlChannel, message: LaterMessage): ControlRefusal | undefined;
  /** Something was refused; what the backend is told is on its way. */
  refused(channel: ControlChannel, refusal: ControlRefusal): void;
  /** It has no more to say. Called once, before anybody else learns of the end, if `opened` was. */
  over(channel: ControlChannel, code: CloseStatus): void;
}

/** The other side of one registration. */
export class ControlChannel extends ConnectionReceiver {
  /** Random bytes that nobody else is asked to sign. */
  readonly nonce = randomBytes(24).toString('base64url');
  /** What it registered as. */
  registration: Register | undefined;
  readonly #host: ChannelHost;
  #isOver = false;
  /** Counts what was said. */
  #heard = 0;
  /** The lease has ended, and what came meanwhile is read yet. */
  #isOverdue = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(host: ChannelHost) {
    super();
    this.#host = host;
  }

  get handle(): Connection {
    return this.connection;
  }

  get request(): UpgradeRequest {
    return this.connection.request;
  }

  override onUpgradeRequest(request: UpgradeRequest): UpgradeDecision {
    if (request.subprotocols.includes(CONTROL_SUBPROTOCOL)) {
      return accept({ target: null, subprotocol: CONTROL_SUBPROTOCOL });
    }
    const body = `Backends register here, by the subprotocol ${CONTROL_SUBPROTOCOL}, and this request did not offer it.\n`;
    return reject(400, { body });
  }

  override onOpen(): void {
    const { balancer, registrationTimeout } = this.#host;
    this.#host.opened(this);
    if (this.#isOver) return;
    this.say({ type: 'challenge', version: CONTROL_VERSION, nonce: this.nonce, balancer });
    this.#timer = setTimeout(() => {
      this.refuse({ why: 'timeout', message: `no registration within ${registrationTimeout} ms` });
    }, registrationTimeout);
  }

  override onText(text: string): void {
    if (this.#isOver) return;
    // Nobody who is not known is read at length.
    const read =
      this.registration === undefined && text.length > MAX_CONTROL_BYTES ? tooLarge(text) : readBackendMessage(text);
    if ('fault' in read) {
      this.refuse({ why: read.why, message: read.fault });
      return;
    }
    if (this.registration === undefined) {
      if ('message' in read && read.message.type === 'register') this.#register(read.message);
      else this.refuse({ why: 'malformed', message: 'expected a registration before anything else' });
      return;
    }
    this.#heard += 1;
    if (!this.#isOverdue) this.#timer?.refresh();
    // What a later version may add is none of ours.
    if ('unknown' in read) return;
    const { message } = read;
    const refusal: ControlRefusal | undefined =
      message.type === 'register'
        ? { why: 'malformed', message: 'expected one registration, and this is another; send `update`' }
        : this.#host.heard(this, message);
    if (refusal !== undefined) this.refuse(refusal);
  }

  override onBinary(): void {
    this.refuse({ why: 'malformed', message: 'expected text, and this message is binary' });
  }

  override onClosed(status: CloseStatus): void {
    this.#finish(status);
  }

  say(message: BalancerMessage): void {
    this.connection.send(writeControlMessage(message));
  }

  /** Says something for a group, as JSON. Answers whether it is on its way: not when too much of it waits already. */
  hand(text: string): boolean {
    if (this.#isOver) return false;
    const result = this.connection.send(text);
    return result === 'accepted' || result === 'queued';
  }

  /** Ends the channel, and says why. */
  refuse(refusal: ControlRefusal): void {
    if (this.#isOver) return;
    const { why, message } = refusal;
    this.say({ type: 'refused', why, message } satisfies Refused);
    this.end(CloseCode.PolicyViolation, why);
    this.#host.refused(this, refusal);
  }

  /** Ends the channel without a word of complaint. */
  end(code: CloseCode, reason: string): void {
    this.#finish(code);
    this.connection.close(code, reason);
  }

  #register(register: Register): void {
    const taken = this.#host.register(this, register);
    if ('why' in taken) {
      this.refuse(taken);
      return;
    }
    const { lease, maxBytes } = this.#host;
    this.registration = register;
    clearTimeout(this.#timer);
    this.#watch(lease);
    this.say({ type: 'registered', generation: taken.generation, leaseMs: lease, maxBytes, proof: taken.proof });
    this.#host.settled(this, register);
  }

  /** Ends the channel when nothing is said any more. It may have been this process that was away, and then all would be lost at once. */
  #watch(lease: number): void {
    this.#isOverdue = false;
    this.#timer = setTimeout(() => {
      const heard = this.#heard;
      this.#isOverdue = true;
      this.#timer = setTimeout(
        () => {
          if (this.#heard > heard) this.#watch(lease);
          else this.refuse({ why: 'silent', message: `nothing was said for ${lease} ms (control.lease)` });
        },
        Math.min(MOST_GRACE, lease / 4),
      );
    }, lease);
  }

  #finish(code: CloseStatus): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#host.over(this, code);
  }
}
