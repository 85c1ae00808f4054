/**
 * Owns what only code can give a server, beside the options that a file could hold: the receivers, and the decisions about a
 * whole server. Refuses to call any of it.
 */
import { TidegateError } from '../receivers/index.js';
import { type AdmissionHooks, arePolicies } from './admission/admission-hooks.js';
import type { AuthenticationHooks } from './authentication/hooks.js';
import type { ReceiverFactory } from './connections/entrance.js';
import type { DialHooks } from './dial/dial-hooks.js';
import type { FirstBytesHooks } from './listener/unknown-protocol.js';
import type { RedactHook } from './recording/payload-redaction.js';
import type { TlsHooks } from './tls/tls-hooks.js';
import type { WatchdogHooks } from './watchdog/watchdog-hooks.js';

/** What code may give a server beside its options. */
export interface ServerHooks
  extends AdmissionHooks,
    AuthenticationHooks,
    DialHooks,
    FirstBytesHooks,
    TlsHooks,
    WatchdogHooks {
  /**
   * Makes the receiver of each connection. Default: a `ConnectionReceiver`, which lets everything pass on the
   * fastest data path.
   */
  readonly receiver?: ReceiverFactory | undefined;
  /** Says what of each message of a recorded connection is written to its file; see {@link RedactHook}. */
  readonly redact?: RedactHook | undefined;
}

const IS_FUNCTION = { is: (value: unknown) => typeof value === 'function', expected: 'expected a function' };

/** Every hook, and what it has to be. */
const HOOKS: Readonly<Record<keyof ServerHooks, { is(value: unknown): boolean; readonly expected: string }>> = {
  receiver: IS_FUNCTION,
  redact: IS_FUNCTION,
  onWatchdog: IS_FUNCTION,
  onAlpn: IS_FUNCTION,
  onVerifyPeer: IS_FUNCTION,
  onSecureContextOptions: IS_FUNCTION,
  onSecureContext: IS_FUNCTION,
  connect: IS_FUNCTION,
  lookup: IS_FUNCTION,
  onAuthentication: IS_FUNCTION,
  onUnknownAuthentication: IS_FUNCTION,
  onCredentialsExpiring: IS_FUNCTION,
  onUnknownProtocol: IS_FUNCTION,
  policies: {
    is: arePolicies,
    expected: 'expected a list of objects with a `name` and perhaps `connection`, `message` and `release`',
  },
  onTcpConnect: IS_FUNCTION,
};

/** The names of all hooks, which are no options. */
export const HOOK_NAMES: readonly string[] = Object.keys(HOOKS);

/**
 * Takes the hooks out of what code gave a server.
 *
 * @throws TidegateError `INVALID_OPTION` for one that cannot be called.
 */
export function takeHooks(given: ServerHooks): ServerHooks {
  const hooks: Record<string, unknown> = {};
  for (const [name, { is, expected }] of Object.entries(HOOKS)) {
    const value = given[name as keyof ServerHooks];
    if (value === undefined) continue;
    if (!is(value)) throw new TidegateError('INVALID_OPTION', `${name}: got ${typeof value}; ${expected}`);
    hooks[name] = value;
  }
  return hooks;
}
