/**
 * Owns who gets in: the policies of a running server, its trusted proxies, the hook `onTcpConnect`, bans, and what was refused. Refuses
 * to touch a socket, and to answer anyone.
 */
import { type Connection, describeError, type ErrorCode, httpStatusOf } from '../../receivers/index.js';
import type { ListenerRole } from '../config/listen.js';
import type { RejectedUpgrade } from '../events.js';
import { type AdmissionHooks, tcpVerdictOf } from './admission-hooks.js';
import type { AdmissionRecord } from './admission-record.js';
import { builtInPolicies, type GatekeeperConfig } from './built-in-policies.js';
import { REFUSAL_WEIGHTS } from './offences.js';
import { Pass, type PassOwner } from './pass.js';
import { Policies, type PolicyDenial } from './policies.js';
import type { Denial, MessageFacts, Peer } from './policy.js';
import { Seats } from './seats.js';
import { type Bucket, takeToken } from './token-bucket.js';
import { TrustedProxies } from './trusted-proxies.js';
import { UserCap, type UserSeat } from './user-cap.js';

/** What a gatekeeper needs. */
export interface GatekeeperOptions {
  readonly config: GatekeeperConfig;
  readonly hooks: AdmissionHooks;
  /** What outlives a stop. */
  readonly record: AdmissionRecord;
  /** Tells the event `rejected`; never throws. */
  rejected(rejected: RejectedUpgrade): void;
  /** Tells the event `exception`; never throws. */
  exception(error: unknown): void;
  /** Milliseconds on a clock that never goes back; default `performance.now`. */
  readonly now?: () => number;
}

/** Refusals at the accept that are told as events each second; the others are counted. A flood must not flood the log. */
const TOLD = { perSecond: 10, burst: 10 };

/** Connections over a cap or a rate that may still send their request, to be answered, each second; the others are cut. */
const ANSWERED = { perSecond: 100, burst: 100 };

/** Decides about connections and messages, for one running server. */
export class Gatekeeper implements PassOwner {
  /** Whether {@link Gatekeeper.message} may deny anything: a data path that finds false here asks no more. */
  readonly readsMessages: boolean;
  readonly #options: GatekeeperOptions;
  readonly #now: () => number;
  readonly #policies: Policies;
  readonly #proxies: TrustedProxies;
  readonly #users: UserCap;
  readonly #seats: Seats;
  readonly #isBannable: (address: string) => boolean;
  readonly #told: Bucket;
  readonly #answered: Bucket;
  #suppressed = 0;

  constructor(options: GatekeeperOptions) {
    const { config, hooks, record } = options;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#proxies = new TrustedProxies(config.trustedProxies, config.forwardedHeader);
    const builtIn = builtInPolicies(config, record.bans, this.#proxies, this.#now);
    this.#isBannable = (address) => !builtIn.isExempt(address);
    this.#policies = new Policies([...builtIn.policies, ...(hooks.policies ?? [])], (error) =>
      options.exception(error),
    );
    this.readsMessages = this.#policies.readsMessages;
    this.#users = new UserCap(config.limits.maxConnectionsPerUser);
    this.#seats = new Seats(config.limits);
    this.#told = { tokens: TOLD.burst, filledAt: this.#now() };
    this.#answered = { tokens: ANSWERED.burst, filledAt: this.#now() };
  }

  /**
   * Decides about an accepted connection before anything of it is read. Whoever calls this goes by `pass.state`: an unsettled pass
   * calls `onSettled` later, and a denied one is cut, or heard and answered when `isToldWhy`. Every pass is to be released when its
   * connection is gone. A trusted proxy is let in, to say whom it brings.
   */
  arrive(peer: Peer, role: ListenerRole): Pass {
    const pass = new Pass(this, peer, role, this.trusts(peer.remoteAddress));
    const denied = pass.anonymous ? undefined : this.#ask(pass);
    if (denied === undefined) this.#callHook(pass);
    else this.#deny(pass, denied);
    return pass;
  }

  /**
   * A PROXY protocol header told who the client is. Asks the policies, unless that is a trusted proxy again, whose request will tell
   * more. A denial is counted already; the caller cuts the connection.
   */
  become(pass: Pass, peer: Peer): Denial | undefined {
    this.#giveBack(pass);
    pass.peer = peer;
    pass.anonymous = this.trusts(peer.remoteAddress);
    return pass.anonymous ? undefined : this.#askLate(pass);
  }

  /**
   * The request of an admitted connection is there. Behind a trusted proxy it tells who the client is, and the policies are asked. A
   * denial is counted already; the caller answers the request.
   */
  identify(pass: Pass, rawHeaders: readonly string[]): Denial | undefined {
    if (!pass.anonymous) return undefined;
    pass.anonymous = false;
    pass.introducer = pass.peer;
    const { peer, forwarded } = this.#proxies.introduce(rawHeaders, pass.peer);
    pass.peer = peer;
    pass.forwarded = forwarded;
    return this.#askLate(pass);
  }

  /**
   * A further request came by the same connection. From a trusted proxy it may be that of another client, about whom the policies are
   * asked in place of the one before. A denial is counted already; the caller answers the request.
   */
  identifyNext(pass: Pass, rawHeaders: readonly string[]): Denial | undefined {
    const { introducer } = pass;
    if (introducer === undefined) return undefined;
    const { peer, forwarded } = this.#proxies.introduce(rawHeaders, introducer);
    const isSame = pass.granted > 0 && peer.remoteAddress === pass.peer.remoteAddress;
    if (!isSame) this.#giveBack(pass);
    pass.peer = peer;
    pass.forwarded = forwarded;
    return isSame ? undefined : this.#askLate(pass);
  }

  /** Whether an address is that of a trusted proxy, which may say on whose behalf it comes. */
  trusts(address: string): boolean {
    return this.#proxies.trusts(address);
  }

  /** Takes a place for a user that was authenticated, to be released when the connection is gone; or answers why there is none. */
  user(name: string): UserSeat | Denial {
    const seat = this.#users.take(name);
    if ('error' in seat) this.#options.record.refusals.add(seat.error, 'connections-per-user');
    return seat;
  }

  /** Asks the policies about a message from a client. A denial is counted already; the caller closes the connection. */
  message(connection: Connection, message: MessageFacts): Denial | undefined {
    const denied = this.#policies.message(connection, message);
    if (denied === undefined) return undefined;
    this.#options.record.refusals.add(denied.denial.error, denied.policy);
    return denied.denial;
  }

  /**
   * Adds to the score of an address that did something wrong; at `admission.bans.threshold` it is banned; {@link OFFENCES}
   * are the usual weights. What stands for many clients (`admission.exempt`, trusted proxies) is not banned. Answers whether it is.
   */
  offence(peer: { readonly remoteAddress: string }, weight: number, why: string): boolean {
    const { remoteAddress } = peer;
    return this.#isBannable(remoteAddress) && this.#options.record.bans.offence(remoteAddress, weight, why);
  }

  /** Counts a refusal that was not the gatekeeper's, and the offence that it may be unless nothing was sent. */
  refused(refusal: {
    readonly error: ErrorCode;
    readonly message: string;
    readonly remoteAddress?: string | undefined;
    readonly isSilent?: boolean;
  }): void {
    const { error, message, remoteAddress, isSilent } = refusal;
    this.#options.record.refusals.add(error);
    if (isSilent !== true) this.#offend(remoteAddress, error, message);
  }

  /** Connections that wait for room, unread. */
  get waiting(): number {
    return this.#seats.waiting;
  }

  /** Connections that have a pass. */
  get present(): number {
    return this.#seats.taken;
  }

  released(pass: Pass): void {
    this.#seats.giveBack(pass);
    pass.state = 'released';
    pass.onSettled = undefined;
    this.#giveBack(pass);
  }

  #giveBack(pass: Pass): void {
    const { granted } = pass;
    pass.granted = 0;
    if (granted > 0) this.#policies.release(pass.peer, granted);
  }

  #ask(pass: Pass): PolicyDenial | undefined {
    const denied = this.#policies.connection(pass.peer);
    if (denied === undefined) pass.granted = this.#policies.count;
    return denied;
  }

  #askLate(pass: Pass): Denial | undefined {
    const denied = this.#ask(pass);
    if (denied === undefined) return undefined;
    this.#options.record.refusals.add(denied.denial.error, denied.policy);
    this.#offend(pass.peer.remoteAddress, denied.denial.error, denied.denial.message);
    return denied.denial;
  }

  #callHook(pass: Pass): void {
    const hook = this.#options.hooks.onTcpConnect;
    if (hook === undefined) {
      this.#seats.take(pass);
      return;
    }
    try {
      const answer: unknown = hook(pass.peer);
      if (isPromise(answer)) {
        pass.state = 'deciding';
        answer.then(
          (late) => this.#settle(pass, () => this.#follow(pass, late)),
          (error: unknown) => this.#settle(pass, () => this.#hookFailed(pass, error)),
        );
      } else this.#follow(pass, answer);
    } catch (error) {
      this.#hookFailed(pass, error);
    }
  }

  #follow(pass: Pass, answer: unknown): void {
    let verdict: 'accept' | 'reject' | 'tcp';
    try {
      verdict = tcpVerdictOf(answer);
    } catch (error) {
      this.#hookFailed(pass, error);
      return;
    }
    if (verdict === 'reject') {
      this.#denyByHook(pass, { error: 'POLICY_DENIED', message: 'onTcpConnect rejected the connection' });
      return;
    }
    pass.verdict = verdict;
    this.#seats.take(pass);
  }

  /** The hook answered late. The connection may be gone meanwhile, or be told to wait further. */
  #settle(pass: Pass, follow: () => void): void {
    if (pass.state !== 'deciding') return;
    follow();
    if (pass.isUnsettled) return;
    const { onSettled } = pass;
    pass.onSettled = undefined;
    onSettled?.();
  }

  #hookFailed(pass: Pass, error: unknown): void {
    this.#options.exception(error);
    this.#denyByHook(pass, { error: 'RECEIVER_FAILED', message: `onTcpConnect failed: ${describeError(error)}` });
  }

  #denyByHook(pass: Pass, denial: Denial): void {
    this.#giveBack(pass);
    this.#deny(pass, { denial, policy: 'onTcpConnect' });
  }

  #deny(pass: Pass, { denial, policy }: PolicyDenial): void {
    const { error, message } = denial;
    const { remoteAddress } = pass.peer;
    const status = httpStatusOf(error);
    pass.state = 'denied';
    pass.denial = denial;
    // Those who may try again later are told when; to the others every word would be wasted.
    const mayReturn = status === 429 || status === 503;
    pass.isToldWhy = mayReturn && takeToken(this.#answered, ANSWERED, this.#now()) === 0;
    this.#options.record.refusals.add(error, policy);
    this.#offend(remoteAddress, error, message);
    this.#tell({ error, status, message, remoteAddress, path: undefined, policy });
  }

  #tell(rejected: RejectedUpgrade): void {
    if (takeToken(this.#told, TOLD, this.#now()) > 0) {
      this.#suppressed += 1;
      return;
    }
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    this.#options.rejected(suppressed === 0 ? rejected : { ...rejected, suppressed });
  }

  #offend(remoteAddress: string | undefined, error: ErrorCode, why: string): void {
    const weight = REFUSAL_WEIGHTS[error];
    if (weight !== undefined && remoteAddress !== undefined) this.offence({ remoteAddress }, weight, why);
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
