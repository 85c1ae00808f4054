/**
 * Owns everything about who may connect to one running server, put together: origins, authenticator, sessions, and what becomes of
 * credentials that expire. Refuses to take requests; the entrance does.
 */
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { CredentialWatch } from '../../actors/watches.js';
import { CloseCode, type Connection, isCloseCode, TidegateError } from '../../receivers/index.js';
import { type AuthenticationConfig, authenticates, NOBODY } from '../config/authentication.js';
import type { ProxyConfig } from '../config/options.js';
import { Authenticator } from './authenticator.js';
import type { AuthenticationHooks } from './hooks.js';
import { OriginPolicy } from './origins.js';

/** What authentication is made of. */
export interface AuthenticationOptions {
  readonly config: ProxyConfig;
  readonly hooks: AuthenticationHooks;
  exception(error: unknown, connection?: Connection): void;
  expiring(connection: Connection, expiresAt: Date): void;
}

/** Who may connect to one running server. */
export class Authentication {
  readonly origins: OriginPolicy;
  /** Undefined when nobody is asked who he is. */
  readonly authenticator: Authenticator | undefined;
  readonly #options: AuthenticationOptions;

  constructor(options: AuthenticationOptions) {
    const { config, hooks, exception } = options;
    this.#options = options;
    const { authentication, origins, requireOrigin } = config;
    if (authentication !== undefined) {
      this.authenticator = new Authenticator({ config: authentication, hooks, exception: (error) => exception(error) });
    }
    const allowed = origins ?? (isAmbient(authentication, hooks) ? ['same-origin'] : undefined);
    this.origins = new OriginPolicy({ allowed, required: requireOrigin });
  }

  /** What the supervisor watches for; undefined when nobody has credentials. */
  get watch(): CredentialWatch | undefined {
    const config = this.authenticator?.config;
    if (config === undefined) return undefined;
    return {
      warning: config.expiryWarning,
      expiring: (connection) => this.#expiring(connection),
      expired: (connection) => expire(connection, config.rejectCode),
    };
  }

  close(): void {
    this.authenticator?.close();
  }

  #expiring(connection: ConnectionActor): void {
    const { handle, principal } = connection;
    const { expiring, exception, hooks } = this.#options;
    expiring(handle, new Date(principal?.expiresAt ?? 0));
    const { onCredentialsExpiring } = hooks;
    if (onCredentialsExpiring === undefined || !connection.gate) return;
    const renew = async () => {
      const renewed = await onCredentialsExpiring(handle);
      if (renewed !== undefined) handle.renew(renewed);
    };
    renew().catch((error: unknown) => exception(error, handle));
  }
}

/**
 * Refuses what looks protected and is not, or lets nobody in.
 *
 * @throws TidegateError `INVALID_OPTION`.
 */
export function assertAuthentication(config: AuthenticationConfig | undefined, hooks: AuthenticationHooks): void {
  for (const name of ['onAuthentication', 'onUnknownAuthentication'] as const) {
    if (config !== undefined || hooks[name] === undefined) continue;
    throw new TidegateError(
      'INVALID_OPTION',
      `${name}: nobody is asked who he is without the option authentication; set at least \`authentication: {}\``,
    );
  }
  const asks = hooks.onAuthentication !== undefined || hooks.onUnknownAuthentication !== undefined;
  if (config === undefined || asks || authenticates(config)) return;
  throw new TidegateError('INVALID_OPTION', `authentication: ${NOBODY}, or a hook`);
}

function expire(connection: ConnectionActor, rejectCode: number): void {
  const code = isCloseCode(rejectCode) ? rejectCode : CloseCode.PolicyViolation;
  connection.close({ initiator: 'proxy', cause: 'CREDENTIALS_EXPIRED', code, reason: 'credentials expired' });
}

/**
 * Whether browsers send credentials without the page that connects having any: then a page of another site connects as the user
 * that is sitting there (cross-site WebSocket hijacking).
 */
function isAmbient(config: AuthenticationConfig | undefined, hooks: AuthenticationHooks): boolean {
  if (config === undefined) return false;
  const { users, cookie, certificate } = config;
  const { onAuthentication, onUnknownAuthentication } = hooks;
  return (
    [users, cookie, onAuthentication, onUnknownAuthentication].some((one) => one !== undefined) || certificate !== 'off'
  );
}
