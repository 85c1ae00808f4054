/** Owns the shape of who a client is. Refuses to find out. */

/** Who a client has shown to be. Holds no secret: it appears in snapshots and logs. */
export interface Principal {
  /** The user, the subject of a token, or the common name of a certificate. */
  readonly name: string;
  /** How it was shown, such as `basic`, `bearer`, `session` or `certificate`. */
  readonly scheme: string;
  /** What a token claims, or an application adds. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** Groups of connections that can be ended together, with `disconnect({ tag })`. */
  readonly tags?: readonly string[] | undefined;
  /** When it ends, in milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
}
