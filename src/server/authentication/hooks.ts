/** Owns what code may decide about who a client is. Refuses to call it. */
import type { Connection, Principal, UpgradeRequest } from '../../receivers/index.js';
import type { PasswordCredentials } from './credentials.js';

/**
 * What a hook says about credentials: a principal, `true` for one that is named by the credentials, `false` or nothing for
 * credentials that are wrong.
 */
export type AuthenticationAnswer = Principal | boolean | undefined;

/** The hooks about who a client is. All may be asynchronous, and have `authentication.timeout` to answer. */
export interface AuthenticationHooks {
  /**
   * Asked about a user name and a password that no user of `authentication.users` has (sgc: OnAuthentication). Called once for each
   * handshake that brings some, and for each token that is asked for over HTTP, before the receiver is made. `true` makes the user
   * name the name of the principal. A throw answers 503 and is told as `exception`. `request` is without the credentials; its `signal`
   * aborts when the client leaves.
   */
  readonly onAuthentication?:
    | ((
        credentials: PasswordCredentials,
        request: UpgradeRequest,
      ) => AuthenticationAnswer | Promise<AuthenticationAnswer>)
    | undefined;
  /**
   * Asked about a scheme that is not built in or not configured, such as `Bearer` without `authentication.jwt` (sgc:
   * OnUnknownAuthentication). `data` is what stood behind the scheme, and a token wherever it came from has the scheme `Bearer`. `true`
   * makes the scheme the name of the principal. For the rest as {@link onAuthentication}.
   */
  readonly onUnknownAuthentication?:
    | ((scheme: string, data: string, request: UpgradeRequest) => AuthenticationAnswer | Promise<AuthenticationAnswer>)
    | undefined;
  /**
   * Asked `authentication.expiryWarning` before the credentials of a connection expire, right after the event `expiring`. A principal
   * of the same name with a later `expiresAt` keeps the connection; anything else lets it end. A throw is told as `exception`.
   */
  readonly onCredentialsExpiring?:
    | ((connection: Connection) => Principal | undefined | Promise<Principal | undefined>)
    | undefined;
}
