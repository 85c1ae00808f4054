/**
 * Owns who a client is: from what it showed, by way of users, sessions, tokens and hooks, to a principal or a reason to refuse.
 * Refuses to read requests and to answer them.
 */
import type { TLSSocket } from 'node:tls';
import { TimerWheel, wheelTick } from '../../actors/timer-wheel.js';
import { assertPrincipal, type Principal, type UpgradeRequest } from '../../receivers/index.js';
import type { AuthenticationConfig } from '../config/authentication.js';
import { certificatePrincipal } from './certificate.js';
import { type Credentials, type Outcome, type PasswordCredentials, unavailable, wrong } from './credentials.js';
import type { AuthenticationAnswer, AuthenticationHooks } from './hooks.js';
import { readAuthorization, type Sources } from './presented.js';
import { Sessions } from './sessions.js';
import { Tokens } from './tokens.js';
import { Users } from './users.js';

/** What an authenticator is made of. */
export interface AuthenticatorOptions {
  readonly config: AuthenticationConfig;
  readonly hooks: AuthenticationHooks;
  /** A hook threw. */
  exception(error: unknown): void;
}

/** Tells clients of one server apart. */
export class Authenticator {
  readonly config: AuthenticationConfig;
  /** Where credentials are looked for. */
  readonly sources: Sources;
  readonly sessions: Sessions | undefined;
  readonly #options: AuthenticatorOptions;
  readonly #users: Users | undefined;
  readonly #tokens: Tokens | undefined;
  /** One timer for every client whose credentials are awaited or checked. */
  readonly #wheel: TimerWheel;

  constructor(options: AuthenticatorOptions) {
    const { config, hooks } = options;
    this.#options = options;
    this.config = config;
    this.#users = config.users === undefined ? undefined : new Users(config.users);
    this.#tokens = config.jwt === undefined ? undefined : new Tokens(config.jwt);
    this.sessions = config.sessions === undefined ? undefined : new Sessions(config.sessions);
    this.sources = sourcesOf(config, hooks);
    this.#wheel = new TimerWheel(wheelTick(config.timeout));
  }

  /** Lets go of timers, fetches and tokens. */
  close(): void {
    this.#wheel.stop();
    this.#tokens?.close();
    this.sessions?.clear();
  }

  /** Calls back after `authentication.timeout`; answers with what gives that up. */
  deadline(call: () => void): () => void {
    const entry = this.#wheel.schedule(this.config.timeout, call);
    return () => entry.cancel();
  }

  /** Who the certificate of a client says it is. */
  certified(socket: TLSSocket | undefined): Credentials | undefined {
    const { certificate } = this.config;
    const principal = certificate === 'off' ? undefined : certificatePrincipal(socket, certificate);
    return principal === undefined ? undefined : { kind: 'certificate', principal };
  }

  /** Reads a first message, which says what would stand in `Authorization`, or is a token alone. */
  fromMessage(text: string): Credentials {
    const value = text.trim();
    const isField = /\s/.test(value);
    if (value !== '' && !isField) return { kind: 'token', token: value };
    const shown = isField ? readAuthorization(value, this.sources) : undefined;
    return shown ?? { kind: 'malformed', message: 'the first message is no token' };
  }

  /** Finds out who a client is. Never throws or rejects; without credentials it answers at once. */
  authenticate(credentials: Credentials | undefined, request: UpgradeRequest): Outcome | Promise<Outcome> {
    if (credentials === undefined) {
      if (this.config.allowAnonymous) return { principal: undefined };
      return { error: 'UNAUTHENTICATED', message: 'the client showed no credentials', offence: false };
    }
    if (credentials.kind === 'certificate') return { principal: credentials.principal };
    if (credentials.kind === 'malformed') return wrong(credentials.message);
    return this.#inTime(this.#check(credentials, request));
  }

  async #check(
    credentials: Exclude<Credentials, { kind: 'malformed' | 'certificate' }>,
    request: UpgradeRequest,
  ): Promise<Outcome> {
    try {
      switch (credentials.kind) {
        case 'password':
          return await this.#checkPassword(credentials, request);
        case 'token':
          return await this.#checkToken(credentials.token, request);
        case 'unknown':
          return await this.#askUnknown(credentials.scheme, credentials.data, request);
      }
    } catch (error) {
      this.#options.exception(error);
      return unavailable('a hook about authentication failed');
    }
  }

  async #checkPassword({ scheme, user, password }: PasswordCredentials, request: UpgradeRequest): Promise<Outcome> {
    const known = await this.#users?.check(user, password);
    if (typeof known === 'object') return { principal: { name: known.name, scheme, tags: known.tags } };
    const { onAuthentication } = this.#options.hooks;
    if (known === 'busy') return unavailable('too many passwords wait to be checked');
    if (onAuthentication === undefined) return wrong('the user name or the password is wrong');
    const answer = await onAuthentication({ scheme, user, password }, request);
    return outcomeOf(answer, { name: user, scheme }, 'onAuthentication');
  }

  async #checkToken(token: string, request: UpgradeRequest): Promise<Outcome> {
    if (this.sessions?.isOurs(token)) {
      const session = this.sessions.redeem(token);
      if (session === 'unknown') return wrong('the session token is unknown, or was used');
      if (session === 'expired') return wrong('the session token has expired', 'CREDENTIALS_EXPIRED');
      return { principal: session };
    }
    if (this.#tokens !== undefined) return this.#tokens.check(token);
    return this.#askUnknown('Bearer', token, request);
  }

  async #askUnknown(scheme: string, data: string, request: UpgradeRequest): Promise<Outcome> {
    const { onUnknownAuthentication } = this.#options.hooks;
    if (onUnknownAuthentication === undefined) return wrong('the credentials are of no kind that is taken here');
    const answer = await onUnknownAuthentication(scheme, data, request);
    return outcomeOf(answer, { name: scheme, scheme: scheme.toLowerCase() }, 'onUnknownAuthentication');
  }

  #inTime(checked: Promise<Outcome>): Promise<Outcome> {
    return new Promise((resolve) => {
      const give = this.deadline(() =>
        resolve(unavailable(`the credentials were not checked within ${this.config.timeout} ms`)),
      );
      void checked.then((outcome) => {
        give();
        resolve(outcome);
      });
    });
  }
}

function sourcesOf(config: AuthenticationConfig, hooks: AuthenticationHooks): Sources {
  const { onAuthentication, onUnknownAuthentication } = hooks;
  const { url, userParameter, passwordParameter, tokenParameters = [], subprotocol, cookie } = config;
  return {
    passwords: config.users !== undefined || onAuthentication !== undefined,
    tokens: config.jwt !== undefined || config.sessions !== undefined || onUnknownAuthentication !== undefined,
    unknown: onUnknownAuthentication !== undefined,
    keepAuthorization: config.forwardAuthorization,
    url,
    userParameter,
    passwordParameter,
    tokenParameters,
    subprotocol,
    cookie,
  };
}

/** @throws TidegateError `INVALID_DECISION` for an answer that says nothing about who it is. */
function outcomeOf(answer: AuthenticationAnswer, named: Principal, hook: string): Outcome {
  if (answer === true) return { principal: named };
  if (answer === false || answer === undefined) return wrong('the application refused the credentials');
  assertPrincipal(answer, hook);
  return { principal: { ...answer, scheme: answer.scheme ?? named.scheme } };
}
