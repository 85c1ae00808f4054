/**
 * Owns the HTTP side of sessions: a request for a token, its answer as JSON, and what a browser needs to be allowed to read it
 * (CORS). Refuses to know how credentials are checked.
 */

import type { Refusal } from '../../actors/connection.effects.js';
import { headerValues } from '../../protocol/header-fields.js';
import type { RequestHead } from '../../protocol/http-head.js';
import type { HeaderFields, UpgradeRequest } from '../../receivers/index.js';
import { writeRefusal } from '../handshake/answer.js';
import type { Wire } from '../wires/wire.js';
import type { Authenticator } from './authenticator.js';
import { refusalOf } from './challenge.js';
import type { Credentials, Failure, Outcome } from './credentials.js';
import type { OriginPolicy } from './origins.js';

/** What an endpoint needs. */
export interface SessionEndpointOptions {
  readonly authenticator: Authenticator;
  readonly origins: OriginPolicy;
  /** A client was refused. */
  refused(request: UpgradeRequest, refusal: Refusal, failure: Failure): void;
}

const NO_STORE = { 'Cache-Control': 'no-store' };

/** Where tokens are asked for. */
export class SessionEndpoint {
  readonly #options: SessionEndpointOptions;

  constructor(options: SessionEndpointOptions) {
    this.#options = options;
  }

  /** Whether a request that asks for no WebSocket is for us. */
  serves({ method, url }: RequestHead): boolean {
    const path = this.#options.authenticator.config.sessions?.path;
    return path !== undefined && ['GET', 'POST', 'OPTIONS'].includes(method) && url.split('?', 1)[0] === path;
  }

  /** Answers a request. Its credentials were taken out of it already. */
  answer(request: UpgradeRequest, credentials: Credentials | undefined, wire: Wire): void {
    const cors = this.#cors(request);
    if (request.method === 'OPTIONS') {
      // A preflight has no credentials, and says nothing but what is allowed.
      writeRefusal(wire, { status: 204, headers: { ...cors, ...PREFLIGHT } });
      return;
    }
    const { authenticator } = this.#options;
    void Promise.resolve(authenticator.authenticate(credentials, request)).then((outcome) =>
      this.#settle(request, wire, outcome, cors),
    );
  }

  #settle(request: UpgradeRequest, wire: Wire, outcome: Outcome, cors: HeaderFields): void {
    const { authenticator, refused } = this.#options;
    const principal = 'error' in outcome || outcome.principal?.scheme === 'session' ? undefined : outcome.principal;
    const issued = principal === undefined ? undefined : authenticator.sessions?.issue(principal);
    if (issued === undefined) {
      const failure: Failure = 'error' in outcome ? outcome : principal === undefined ? ANONYMOUS : FULL;
      const refusal = refusalOf(failure, authenticator.config.realm, authenticator.sources);
      writeRefusal(wire, { ...refusal, headers: { ...refusal.headers, ...cors, ...NO_STORE } as HeaderFields });
      refused(request, refusal, failure);
      return;
    }
    const { token, expiresAt } = issued;
    const seconds = Math.max(0, Math.floor((expiresAt - Date.now()) / 1000));
    writeRefusal(wire, {
      status: 200,
      headers: {
        ...cors,
        ...NO_STORE,
        ...this.#cookie(token, seconds, request.tls !== undefined),
        'Content-Type': 'application/json',
      },
      body: `${JSON.stringify({ token, expiresAt: new Date(expiresAt).toISOString(), expiresIn: seconds })}\n`,
    });
  }

  /** A page of an origin that was named may read the answer, and send what the browser keeps for this host with it. */
  #cors(request: UpgradeRequest): HeaderFields {
    const vary = { Vary: 'Origin' };
    const [origin] = headerValues(request.rawHeaders, 'origin');
    if (origin === undefined || !this.#options.origins.names(request.rawHeaders)) return vary;
    return { ...vary, 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' };
  }

  #cookie(token: string, seconds: number, secure: boolean): HeaderFields {
    const { cookie } = this.#options.authenticator.config;
    if (cookie === undefined) return {};
    // Strict: a page of another site cannot use it, whatever Origin it sends (RFC 6265bis).
    const attributes = `Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
    return { 'Set-Cookie': `${cookie}=${token}; ${attributes}` };
  }
}

const PREFLIGHT = {
  'Access-Control-Allow-Methods': 'GET, POST',
  'Access-Control-Allow-Headers': 'authorization, content-type',
  'Access-Control-Max-Age': '600',
};

const FULL: Failure = {
  error: 'AUTHENTICATION_UNAVAILABLE',
  message: 'as many session tokens are out as may be (authentication.sessions.max)',
  offence: false,
};

const ANONYMOUS: Failure = {
  error: 'UNAUTHENTICATED',
  message: 'a session token was asked for without credentials',
  offence: false,
};
