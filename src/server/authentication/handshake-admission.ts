/**
 * Owns asking who a client is while its handshake is decided: by what the request showed, or by the first message after an
 * early 101. Refuses to know how credentials are checked.
 */
import type { Refusal } from '../../actors/connection.effects.js';
import type { Admission, Seat, Verdict } from '../../actors/connection.host.js';
import { httpStatusOf, type Principal, type UpgradeRequest } from '../../receivers/index.js';
import { OFFENCES } from '../admission/offences.js';
import type { Denial, Peer } from '../admission/policy.js';
import type { Authenticator } from './authenticator.js';
import { refusalOf } from './challenge.js';
import { type Credentials, type Failure, type Outcome, wrong } from './credentials.js';

/** What others do with what authentication finds out. */
export interface AuthenticationPorts {
  /** A client showed credentials that are wrong: whoever keeps count may keep its address out. */
  offence(peer: Peer, weight: number, why: string): void;
  /** Takes a place for one more connection of a user, or says why there is none. Called as the last check. */
  user(name: string): Seat | Denial | undefined;
}

/** How the first message of a client is waited for. */
export interface FirstMessagePort {
  /**
   * Writes the 101 and waits for a text message. Calls one of the two, once: `broken` also when the client leaves.
   */
  awaitFirstMessage(message: (text: string) => void, broken: (failure: Failure) => void): void;
}

/** The request of a client that is asked about. */
export type Asked = UpgradeRequest & { principal: Principal | undefined };

/** Asks about one client. */
export class HandshakeAdmission implements Admission {
  readonly #authenticator: Authenticator;
  readonly #ports: AuthenticationPorts;
  readonly #request: Asked;
  readonly #port: (() => FirstMessagePort) | undefined;
  #credentials: Credentials | undefined;
  #late: Failure = LATE_CHECK;

  constructor(options: {
    authenticator: Authenticator;
    ports: AuthenticationPorts;
    request: Asked;
    /** Left out: a client that has no first message, such as one that speaks no WebSocket. */
    port?: (() => FirstMessagePort) | undefined;
    credentials: Credentials | undefined;
  }) {
    this.#authenticator = options.authenticator;
    this.#ports = options.ports;
    this.#request = options.request;
    this.#port = options.port;
    this.#credentials = options.credentials;
  }

  admit(): Verdict | Promise<Verdict> {
    const credentials = this.#credentials;
    // Held no longer than needed.
    this.#credentials = undefined;
    const port = this.#authenticator.config.firstMessage ? this.#port : undefined;
    if (credentials === undefined && port !== undefined) return this.#awaitMessage(port());
    const outcome = this.#authenticator.authenticate(credentials, this.#request);
    return outcome instanceof Promise ? outcome.then((known) => this.#judge(known)) : this.#judge(outcome);
  }

  enter(principal: Principal | undefined): Seat | Refusal | undefined {
    const seat = principal === undefined ? undefined : this.#ports.user(principal.name);
    if (seat !== undefined && 'error' in seat) {
      const { error, message, retryAfter } = seat;
      const headers = retryAfter === undefined ? undefined : { 'Retry-After': String(retryAfter) };
      return { status: httpStatusOf(error), error, message, headers };
    }
    this.#request.principal = principal;
    return seat;
  }

  late(): Refusal {
    return this.#refuse(this.#late);
  }

  #awaitMessage(port: FirstMessagePort): Promise<Verdict> {
    this.#late = LATE_MESSAGE;
    return new Promise((resolve) => {
      const give = this.#authenticator.deadline(() => resolve(this.#judge(LATE_MESSAGE)));
      port.awaitFirstMessage(
        (text) => {
          give();
          this.#late = LATE_CHECK;
          const shown = this.#authenticator.fromMessage(text);
          void Promise.resolve(this.#authenticator.authenticate(shown, this.#request)).then((known) =>
            resolve(this.#judge(known)),
          );
        },
        (failure) => {
          give();
          resolve(this.#judge(failure));
        },
      );
    });
  }

  #judge(known: Outcome): Verdict {
    const outcome = 'principal' in known && isOver(known.principal) ? OVER : known;
    if ('error' in outcome) {
      if (outcome.offence) this.#ports.offence(this.#request, OFFENCES.failedAuthentication, outcome.error);
      return this.#refuse(outcome);
    }
    return outcome;
  }

  #refuse(failure: Failure): Refusal {
    const { config, sources } = this.#authenticator;
    return refusalOf(failure, config.realm, sources);
  }
}

function isOver(principal: Principal | undefined): boolean {
  return principal?.expiresAt !== undefined && principal.expiresAt <= Date.now();
}

const OVER = wrong('the credentials have expired', 'CREDENTIALS_EXPIRED');

const LATE_MESSAGE: Failure = {
  error: 'AUTHENTICATION_TIMEOUT',
  message: 'the first message did not come in time',
  offence: false,
};

const LATE_CHECK: Failure = {
  error: 'AUTHENTICATION_UNAVAILABLE',
  message: 'the credentials were not checked in time',
  offence: false,
};
