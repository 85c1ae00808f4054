/**
 * Owns plain requests that an extension answers at once: they are authenticated as clients are, and a page of an origin that may come in
 * may read the answer (CORS). Refuses to know what is answered.
 */
import { headerValues } from '../../protocol/header-fields.js';
import type { HeaderFields, UpgradeRequest } from '../../receivers/index.js';
import { OFFENCES } from '../admission/offences.js';
import type { Authentication } from '../authentication/authentication.js';
import { refusalOf } from '../authentication/challenge.js';
import type { Credentials } from '../authentication/credentials.js';
import type { Asked, AuthenticationPorts } from '../authentication/handshake-admission.js';
import type { RejectedUpgrade } from '../events.js';
import { joinedFields, writeRefusal } from '../handshake/answer.js';
import type { PlainAnswer } from '../server-extension.js';
import type { Wire } from '../wires/wire.js';

/** What is needed to answer. */
export interface PlainAnswersOptions {
  readonly authentication: Authentication;
  readonly ports: Pick<AuthenticationPorts, 'offence'>;
  rejected(rejected: RejectedUpgrade): void;
}

const PREFLIGHT = {
  'Access-Control-Allow-Methods': 'GET, HEAD',
  'Access-Control-Allow-Headers': 'authorization',
  'Access-Control-Max-Age': '600',
};

/** Answers plain requests for an extension. */
export class PlainAnswers {
  readonly #options: PlainAnswersOptions;

  constructor(options: PlainAnswersOptions) {
    this.#options = options;
  }

  /** Answers a request whose credentials were taken out of it. @param give makes the answer; never rejects. */
  answer(
    request: Asked,
    credentials: Credentials | undefined,
    wire: Wire,
    give: (request: UpgradeRequest) => Promise<PlainAnswer>,
  ): void {
    const cors = this.#cors(request);
    if (request.method === 'OPTIONS') {
      // A preflight has no credentials, and says nothing but what is allowed.
      writeRefusal(wire, { status: 204, headers: { ...cors, ...PREFLIGHT } });
      return;
    }
    void this.#answered(request, credentials, give).then(({ status, headers, body }) => {
      const fields = joinedFields(headers, cors);
      writeRefusal(wire, { status, headers: fields, body, headOnly: request.method === 'HEAD' });
    });
  }

  async #answered(
    request: Asked,
    credentials: Credentials | undefined,
    give: (request: UpgradeRequest) => Promise<PlainAnswer>,
  ): Promise<PlainAnswer> {
    const { authentication, ports, rejected } = this.#options;
    const { authenticator } = authentication;
    if (authenticator === undefined) return give(request);
    const outcome = await authenticator.authenticate(credentials, request);
    if ('error' in outcome) {
      const { error, message, offence } = outcome;
      const { status, headers, body } = refusalOf(outcome, authenticator.config.realm, authenticator.sources);
      if (offence) ports.offence(request, OFFENCES.failedAuthentication, error);
      rejected({ error, status, message, remoteAddress: request.remoteAddress, path: request.path });
      return { status, headers: headers as HeaderFields | undefined, body: String(body) };
    }
    request.principal = outcome.principal;
    return give(request);
  }

  /**
   * A page of an origin that was named may read the answer and send what the browser keeps for this host with its request. Where any page
   * may connect, any page may read, but without that.
   */
  #cors({ rawHeaders }: UpgradeRequest): HeaderFields {
    const { origins } = this.#options.authentication;
    const vary = { Vary: 'Origin' };
    const [origin] = headerValues(rawHeaders, 'origin');
    if (origin !== undefined && origins.names(rawHeaders)) {
      return { ...vary, 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' };
    }
    return origins.letsAnyIn ? { ...vary, 'Access-Control-Allow-Origin': '*' } : vary;
  }
}
