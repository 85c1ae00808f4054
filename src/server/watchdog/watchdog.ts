/**
 * Owns bringing back listeners that died or do not answer: it looks at each now and then, and opens it again on its address.
 * Refuses to touch what is connected, and to act once the server stops.
 */
import { describeError, TidegateError } from '../../receivers/errors.js';
import type { ProxyConfig } from '../config/options.js';
import type { ServerEvents } from '../events.js';
import type { BoundAddress } from '../listener/listen-address.js';
import { DescriptorShortage } from './descriptor-shortage.js';
import { SelfProbe } from './self-probe.js';
import type { WatchdogHooks } from './watchdog-hooks.js';

/** A listener, as far as it is watched. */
export interface WatchedListener {
  /** Finds out whether its socket died without a word, and says so. With a shortage it gives its socket up, and says so. */
  inspect(shortage: string | undefined): void;
  /** Opens its address again. Rejects when that cannot be had. */
  reopen(): Promise<void>;
}

/** What a watchdog needs. */
export interface WatchdogOptions {
  readonly config: ProxyConfig['watchdog'];
  readonly hooks: WatchdogHooks;
  /** Tells an event; never throws. */
  tell<Name extends keyof ServerEvents>(name: Name, ...values: ServerEvents[Name]): void;
}

/** Probes in a row that a listener may leave without an answer: one may be lost to a moment's load. */
const SILENT_PROBES = 2;

/** One listener and what is known of it. */
interface Ward {
  readonly listener: WatchedListener;
  readonly address: BoundAddress;
  readonly secure: boolean;
  /** It is lost, or about to be opened again. */
  reopening: boolean;
  attempts: number;
  silentProbes: number;
  probe: SelfProbe | undefined;
  /** Until the next attempt. */
  timer: NodeJS.Timeout | undefined;
}

/** Watches the listeners of one running server. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #wards: Ward[] = [];
  readonly #shortage = new DescriptorShortage();
  #looking: NodeJS.Timeout | undefined;
  #stopped = false;
  #probing = 0;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** Begins to watch a listener that is bound. */
  watch(listener: WatchedListener, address: BoundAddress): void {
    const secure = address.url.startsWith('wss:');
    const idle = { reopening: false, attempts: 0, silentProbes: 0, probe: undefined, timer: undefined };
    this.#wards.push({ listener, address, secure, ...idle });
    this.#looking ??= setInterval(() => this.#look(), this.#options.config.interval).unref();
  }

  /** Ends everything; nothing is opened or told from here on. A listener that is being opened is the caller's to close. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#looking);
    for (const ward of this.#wards) {
      clearTimeout(ward.timer);
      ward.probe?.cancel();
    }
    this.#wards.length = 0;
  }

  /** Whether a connection is a probe of this server itself, which counts towards nothing and is refused by nobody. */
  isProbe(peer: { readonly remoteAddress: string; readonly remotePort: number }): boolean {
    if (this.#probing === 0) return false;
    return this.#wards.some(({ probe }) => probe?.is(peer.remoteAddress, peer.remotePort) === true);
  }

  /** Whether any probe is on its way: while there is none, nobody needs to be asked who it is. */
  get probing(): boolean {
    return this.#probing > 0;
  }

  /** Told by a listener whose socket is gone. With `shortage` the next attempt waits, as now it would fail as well. */
  lost(listener: WatchedListener, error: TidegateError, shortage: boolean): void {
    const ward = this.#wards.find((one) => one.listener === listener);
    if (this.#stopped || ward === undefined || ward.reopening) return;
    const { tell, config } = this.#options;
    tell('listener.lost', { address: ward.address, reason: 'died', error });
    // Whoever listened may have stopped the server.
    if (this.#stopped) return;
    ward.reopening = true;
    ward.attempts = 0;
    ward.probe?.cancel();
    if (!config.enabled) this.#giveUp(ward, error);
    else this.#later(ward, shortage ? config.interval : 0, 'died', error);
  }

  #look(): void {
    const { enabled, selfProbe } = this.#options.config;
    const shortage = this.#shortage.find();
    for (const ward of [...this.#wards]) {
      if (ward.reopening) continue;
      ward.listener.inspect(enabled ? shortage : undefined);
      if (enabled && selfProbe.enabled && !ward.reopening && ward.probe === undefined) void this.#ask(ward);
    }
  }

  async #ask(ward: Ward): Promise<void> {
    const { address, secure } = ward;
    const { timeout } = this.#options.config.selfProbe;
    ward.probe = new SelfProbe({ address, secure, timeout });
    this.#probing += 1;
    const verdict = await ward.probe.verdict;
    this.#probing -= 1;
    ward.probe = undefined;
    if (this.#stopped || ward.reopening || verdict === 'unknown') return;
    ward.silentProbes = verdict === 'silent' ? ward.silentProbes + 1 : 0;
    if (ward.silentProbes < SILENT_PROBES) return;
    ward.silentProbes = 0;
    const why = `did not answer ${SILENT_PROBES} probes within ${timeout} ms each`;
    const error = new TidegateError('LISTENER_LOST', `the listener at ${address.url} ${why}`);
    this.#options.tell('listener.lost', { address, reason: 'silent', error });
    if (this.#stopped) return;
    ward.reopening = true;
    ward.attempts = 0;
    await this.#try(ward, 'silent', error);
  }

  #later(ward: Ward, milliseconds: number, reason: 'died' | 'silent', error: TidegateError): void {
    // It keeps the process alive: without its listener nothing else may.
    ward.timer = setTimeout(() => void this.#try(ward, reason, error), milliseconds);
  }

  async #try(ward: Ward, reason: 'died' | 'silent', error: TidegateError): Promise<void> {
    const { config, tell } = this.#options;
    const { address, listener } = ward;
    ward.attempts += 1;
    let failure = error;
    if (await this.#isAllowed({ address, reason, error, attempt: ward.attempts })) {
      if (this.#stopped) return;
      try {
        await listener.reopen();
        if (this.#stopped) return;
        ward.reopening = false;
        tell('listener.restored', { address, attempts: ward.attempts });
        return;
      } catch (caught) {
        failure = caught instanceof TidegateError ? caught : error;
      }
    } else if (reason === 'silent') {
      // Its socket is still there, and may answer yet.
      ward.reopening = false;
      return;
    }
    if (this.#stopped) return;
    if (config.attempts > 0 && ward.attempts >= config.attempts) this.#giveUp(ward, failure);
    else this.#later(ward, config.interval, 'died', error);
  }

  async #isAllowed(event: Parameters<NonNullable<WatchdogHooks['onWatchdog']>>[0]): Promise<boolean> {
    try {
      return (await this.#options.hooks.onWatchdog?.(event)) !== false;
    } catch (error) {
      // A hook that fails has vetoed nothing: a server without a listener is the worse end.
      if (!this.#stopped) this.#options.tell('exception', error, undefined);
      return true;
    }
  }

  #giveUp(ward: Ward, cause: TidegateError): void {
    const { attempts, address } = ward;
    const after = attempts === 0 ? 'the watchdog is off' : `given up after ${attempts} attempts`;
    const message = `the listener at ${address.url} is lost, ${after}: ${describeError(cause)}`;
    this.#options.tell('error', new TidegateError('LISTENER_LOST', message, { cause }));
  }
}
