/**
 * Owns one control channel towards one balancer, as its client: the handshake, the proof, the reports that keep the lease, and coming
 * back. Refuses to know other balancers, and what the backend wants; the agent does.
 */
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import {
  type BackendMessage,
  type BalancerMessage,
  type Challenge,
  CONTROL_VERSION,
  FINAL_REASONS,
  type Register,
  type Registered,
} from '../../protocol/control/messages.js';
import { makeProof, provenToken } from '../../protocol/control/proof.js';
import { readBalancerMessage, writeControlMessage } from '../../protocol/control/read-message.js';
import { describeError, TidegateError } from '../../receivers/errors.js';
import type { AgentConfig } from '../config/register.js';
import { Backoff } from './backoff.js';
import { openControlSocket } from './control-socket.js';
import { retryHint } from './retry-hint.js';

/** Where in its life the channel to a balancer is. `waiting`: to come back; `stopped`: it does not come back by itself. */
export type BalancerState = 'stopped' | 'connecting' | 'registering' | 'registered' | 'waiting';

/** What is said when it registers, beside what makes it safe. */
export type Introduction = Omit<Register, 'type' | 'version' | 'nonce' | 'proof'>;

/** What a balancer may say to a backend that is registered, and that is not about the registration. */
export type FromBalancer = Exclude<BalancerMessage, { type: 'challenge' | 'registered' | 'refused' }>;

/** Who a channel works for. Nothing in it may throw. */
export interface LinkHost {
  introduce(): Introduction;
  connections(): number;
  registered(link: BalancerLink, registered: Registered): void;
  heard(link: BalancerLink, message: FromBalancer): void;
  /** A registered backend is not registered any more. */
  lost(link: BalancerLink, code: number, reason: string): void;
  failed(link: BalancerLink, error: TidegateError): void;
  /** A channel, or an attempt at one, is over; its state says whether another one follows. Not for one that was left. */
  ended(link: BalancerLink): void;
}

/** How a channel is made. */
export type LinkOptions = Pick<AgentConfig, 'token' | 'reconnect' | 'tls'>;

/** From the first byte to `registered`. */
const REGISTRATION_TIMEOUT = 10_000;
/** How long a balancer may take to say goodbye. */
const LEAVE_TIMEOUT = 1000;
/** How often a changed number of connections is told at most. */
const REPORT_INTERVAL = 1000;
/** Bytes of messages for clients that may wait for a balancer that does not read. */
const MAX_WAITING = 16 * 1024 * 1024;

/** The way to one balancer. */
export class BalancerLink {
  readonly url: string;
  state: BalancerState = 'stopped';
  /** The identity of the balancer, once it has told it. */
  balancer: string | undefined;
  /** Counts the registrations under this id, there. */
  generation: number | undefined;
  readonly #options: LinkOptions;
  readonly #host: LinkHost;
  readonly #backoff: Backoff;
  #socket: WebSocket | undefined;
  /** Ends the attempt that is under way, or begins the next one. */
  #timer: NodeJS.Timeout | undefined;
  #reports: NodeJS.Timeout | undefined;
  #challenge: Challenge | undefined;
  #register: Register | undefined;
  readonly #unsaid: BackendMessage[] = [];
  #lease = 0;
  #maxBytes = Number.POSITIVE_INFINITY;
  #heardAt = 0;
  #isOverdue = false;
  #saidAt = 0;
  #told = -1;
  #registeredAt = 0;
  /** Why it ended, when it was said in so many words. */
  #why: TidegateError | undefined;
  #isFinal = false;
  #leaving: (() => void) | undefined;

  constructor(url: string, options: LinkOptions, host: LinkHost) {
    this.url = url;
    this.#options = options;
    this.#host = host;
    this.#backoff = new Backoff(options.reconnect);
  }

  /** Begins, unless it has begun; while it leaves, as soon as it has left. */
  open(): void {
    const left = this.#leaving;
    if (left !== undefined) {
      this.#leaving = () => {
        left();
        this.open();
      };
    }
    if (left !== undefined || this.state !== 'stopped') return;
    this.#backoff.reset();
    this.#connect();
  }

  /**
   * Says something to a balancer that knows the backend, or is about to: what it was told of the backend by then is what it was when the
   * challenge came. Answers whether it could.
   */
  say(message: BackendMessage): boolean {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return false;
    if (this.state === 'registering' && this.#register !== undefined) {
      this.#unsaid.push(message);
      return true;
    }
    if (this.state !== 'registered') return false;
    this.#saidAt = performance.now();
    socket.send(writeControlMessage(message));
    return true;
  }

  /** Says something for a group, as JSON. Answers whether it is on its way: not when it is too large, or too much waits already. */
  hand(text: string): boolean {
    const socket = this.#socket;
    if (this.state !== 'registered' || socket?.readyState !== WebSocket.OPEN) return false;
    const bytes = Buffer.byteLength(text);
    if (bytes > this.#maxBytes || (socket.bufferedAmount > 0 && socket.bufferedAmount + bytes > MAX_WAITING))
      return false;
    this.#saidAt = performance.now();
    socket.send(text);
    return true;
  }

  /** Says goodbye, and does not come back. Resolves when the channel is gone; the balancer sends no clients any more then. */
  leave(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isFinal = true;
    const socket = this.#socket;
    if (socket === undefined) {
      this.state = 'stopped';
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const before = this.#leaving;
      this.#leaving = () => {
        before?.();
        resolve();
      };
      // It answers by closing. One that does not is left behind.
      this.#timer = setTimeout(() => socket.terminate(), LEAVE_TIMEOUT);
      if (!this.say({ type: 'leave' })) socket.terminate();
    });
  }

  #connect(): void {
    this.state = 'connecting';
    this.#why = undefined;
    this.#isFinal = false;
    this.#challenge = undefined;
    this.#register = undefined;
    this.#unsaid.length = 0;
    this.#timer = setTimeout(() => {
      this.#fail(`it did not register the backend within ${REGISTRATION_TIMEOUT} ms`);
    }, REGISTRATION_TIMEOUT);
    try {
      const { tls } = this.#options;
      const socket: WebSocket = openControlSocket(this.url, tls, REGISTRATION_TIMEOUT, {
        opened: () => {
          this.state = 'registering';
          this.#heardAt = performance.now();
        },
        alive: () => {
          this.#heardAt = performance.now();
        },
        heard: (text) => this.#hear(text),
        failed: (why) => {
          this.#why ??= this.#failure(why);
        },
        closed: (code, reason) => {
          if (this.#socket === socket) this.#ended(code, reason);
        },
      });
      this.#socket = socket;
    } catch (error) {
      clearTimeout(this.#timer);
      this.state = 'stopped';
      this.#wait();
      this.#host.failed(this, this.#failure(describeError(error)));
      this.#host.ended(this);
    }
  }

  #hear(text: string | undefined): void {
    const read = text === undefined ? { fault: 'it is binary' } : readBalancerMessage(text);
    if ('fault' in read) {
      this.#fail(`it said what is no control message: ${read.fault}`);
      return;
    }
    if ('unknown' in read) return;
    const { message } = read;
    switch (message.type) {
      case 'challenge':
        this.#answer(message);
        return;
      case 'registered':
        this.#settle(message);
        return;
      case 'refused':
        this.#isFinal ||= FINAL_REASONS.includes(message.why);
        this.#why = this.#failure(`it refused the backend (${message.why}): ${message.message}`);
        return;
      default:
        if (this.state === 'registered') this.#host.heard(this, message);
    }
  }

  #answer(challenge: Challenge): void {
    if (this.#challenge !== undefined) return;
    const { token } = this.#options;
    this.#challenge = challenge;
    this.balancer = challenge.balancer;
    const nonce = randomBytes(24).toString('base64url');
    const introduction = this.#host.introduce();
    const proof = token === undefined ? undefined : makeProof(token, 'backend', this.#parts(introduction, nonce));
    this.#register = { type: 'register', version: CONTROL_VERSION, ...introduction, nonce, proof };
    this.#socket?.send(writeControlMessage(this.#register));
  }

  #settle(registered: Registered): void {
    const { token } = this.#options;
    const register = this.#register;
    if (register === undefined || this.state !== 'registering') return;
    if (token !== undefined) {
      const { proof = '' } = registered;
      const parts = this.#parts(register, register.nonce);
      if (provenToken([token], 'balancer', parts, proof) === undefined) {
        this.#fail('it did not prove that it knows the token');
        return;
      }
    }
    // One that is leaving has another deadline now.
    if (this.#leaving === undefined) clearTimeout(this.#timer);
    this.state = 'registered';
    this.generation = registered.generation;
    this.#lease = registered.leaseMs;
    this.#maxBytes = registered.maxBytes || Number.POSITIVE_INFINITY;
    this.#registeredAt = performance.now();
    this.#told = -1;
    this.#isOverdue = false;
    const pace = Math.max(50, Math.min(this.#lease / 3, REPORT_INTERVAL));
    this.#reports = setInterval(() => this.#report(), pace);
    for (const message of this.#unsaid.splice(0)) this.say(message);
    this.#host.registered(this, registered);
    this.#report();
  }

  #parts({ id, bindings }: Pick<Register, 'id' | 'bindings'>, nonce: string) {
    const { balancer = '', nonce: challenge = '' } = this.#challenge ?? {};
    return { balancer, challenge, nonce, id, bindings };
  }

  #report(): void {
    const now = performance.now();
    // It may have been this process that was away: what came meanwhile is read before the second look.
    const isOverdue = now - this.#heardAt > this.#lease;
    if (isOverdue && this.#isOverdue) {
      this.#fail(`it has been silent for ${Math.round(now - this.#heardAt)} ms`);
      return;
    }
    this.#isOverdue = isOverdue;
    const connections = this.#host.connections();
    const isDue = now - this.#saidAt >= this.#lease / 3 - 25;
    if (connections === this.#told && !isDue) return;
    this.#told = connections;
    this.say({ type: 'load', connections });
    // Its pong is the sign that the balancer is still there.
    if (isDue) this.#socket?.ping();
  }

  #fail(message: string): void {
    this.#why ??= this.#failure(message);
    this.#socket?.terminate();
  }

  #ended(code: number, reason: string): void {
    this.#socket = undefined;
    clearTimeout(this.#timer);
    clearInterval(this.#reports);
    const wasRegistered = this.state === 'registered';
    const leaving = this.#leaving;
    const why = this.#why ?? (wasRegistered ? undefined : this.#failure(`it ended the channel: ${code} ${reason}`));
    this.#leaving = undefined;
    this.state = 'stopped';
    if (wasRegistered && performance.now() - this.#registeredAt >= this.#lease) this.#backoff.reset();
    if (leaving === undefined) this.#wait(retryHint(reason));
    if (wasRegistered) this.#host.lost(this, code, reason);
    if (leaving === undefined && why !== undefined) this.#host.failed(this, why);
    if (leaving === undefined) this.#host.ended(this);
    leaving?.();
  }

  /** @param hint when the balancer wants it back; it does not come back sooner. */
  #wait(hint = 0): void {
    const wait = this.#isFinal ? undefined : this.#backoff.next();
    this.state = wait === undefined ? 'stopped' : 'waiting';
    if (wait !== undefined) this.#timer = setTimeout(() => this.#connect(), Math.max(wait, hint));
  }

  #failure(why: string): TidegateError {
    return new TidegateError('BALANCER_UNREACHABLE', `the balancer ${this.url}: ${why}`);
  }
}
