/**
 * Owns looking into a receiver from inside: every callback that is called, by whomever, what it throws, what it sends, and which timers it
 * sets. Refuses to change what it does.
 */
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { type Connection, ConnectionReceiver, type LifecycleReceiver, type SendResult } from '../../receivers/index.js';
import type { CallbackName, RecordedCall } from '../recording-receiver.js';

const CALLBACKS: readonly CallbackName[] = [
  'onUpgradeRequest',
  'onOpen',
  'onText',
  'onBinary',
  'onClosed',
  'onThrottled',
  'onUnthrottled',
  'onFragment',
  'onUpstreamText',
  'onUpstreamBinary',
  'onBeforeHeartbeat',
  'onIdleTimeout',
];

/** What was seen. */
export class Sight {
  readonly calls: RecordedCall[] = [];
  /** What each `send` of the receiver answered. */
  readonly sends: SendResult[] = [];
  /** In which callback each was asked, when that was on the stack; undefined for outside of any. */
  readonly sentIn: Array<CallbackName | undefined> = [];
  #running: CallbackName | undefined;
  /** Done before the callback itself, such as to end the connection from inside. */
  meddle: ((call: RecordedCall, connection: Connection) => void) | undefined;
  readonly #timers = new Map<number, WeakRef<object>>();
  readonly #inside = new AsyncLocalStorage<Sight>();
  readonly #hook = createHook({
    init: (id, type, _trigger, resource) => {
      if (type === 'Timeout' && this.#inside.getStore() === this) this.#timers.set(id, new WeakRef(resource));
    },
    destroy: (id) => void this.#timers.delete(id),
  });
  #connection: Connection | undefined;

  begin(): void {
    this.#hook.enable();
  }

  end(): void {
    this.#hook.disable();
  }

  /** How many timers the receiver has set that are neither over nor cleared. */
  get timers(): number {
    return this.#timers.size;
  }

  /** The callbacks that began and did not settle. */
  get unsettled(): CallbackName[] {
    return this.calls.filter(({ settled }) => !settled).map(({ callback }) => callback);
  }

  /** The callbacks that threw, with what. */
  get failures(): string[] {
    return this.calls
      .filter(({ threw }) => threw !== undefined)
      .map(({ callback, threw }) => `${callback} threw ${String(threw)}`);
  }

  /** Puts itself into a receiver, as own properties: it sees calls of its own callbacks, too. */
  into(receiver: LifecycleReceiver): LifecycleReceiver {
    const base = ConnectionReceiver.prototype as LifecycleReceiver;
    const own = receiver as unknown as Record<string, unknown>;
    for (const name of CALLBACKS) {
      const callback = receiver[name] as ((...args: unknown[]) => unknown) | undefined;
      const isMessage = name === 'onText' || name === 'onBinary';
      // One that is not overridden keeps the connection off the path of messages.
      if (callback === undefined || (isMessage && callback === base[name])) continue;
      own[name] = (...args: unknown[]) => this.#call(name, args, () => callback.apply(receiver, args));
    }
    const { attach } = receiver;
    receiver.attach = (connection) => {
      this.#connection = connection;
      attach?.call(receiver, this.#seen(connection));
    };
    return receiver;
  }

  /** The same connection; what is sent is seen. */
  #seen(connection: Connection): Connection {
    return new Proxy(connection, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const answer: unknown = value.apply(target, args);
          if (key === 'send') {
            this.sends.push(answer as SendResult);
            this.sentIn.push(this.#running);
          }
          return answer;
        };
      },
    });
  }

  #call(callback: CallbackName, args: readonly unknown[], act: () => unknown): unknown {
    const state = this.#connection?.state ?? 'handshaking';
    const call = { callback, args, at: 0, state, returned: undefined, threw: undefined, settled: false };
    const recorded = call as unknown as RecordedCall;
    this.calls.push(recorded);
    if (this.#connection !== undefined) this.meddle?.(recorded, this.#connection);
    const settle = (threw?: unknown) => {
      recorded.threw = threw;
      recorded.settled = true;
    };
    const outer = this.#running;
    this.#running = callback;
    try {
      const result = this.#inside.run(this, act);
      recorded.returned = result;
      const came = (value: unknown) => {
        recorded.returned = value;
        settle();
      };
      if (result instanceof Promise) result.then(came, settle);
      else settle();
      return result;
    } catch (error) {
      settle(error);
      throw error;
    } finally {
      this.#running = outer;
    }
  }
}
