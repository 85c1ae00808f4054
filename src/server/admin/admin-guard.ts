/**
 * Owns who may ask the admin API: only by a name that is its own, so that no page of a browser gets there by a name of somebody else's
 * that resolves to this machine (DNS rebinding), only from a page of its own, and only with the token. Refuses to answer.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { TidegateError } from '../../receivers/index.js';

/** What requests are judged by. */
export interface AdminGuardOptions {
  /** The host that is listened on, which is a name of the API, too. */
  readonly host: string;
  readonly token: string | undefined;
}

/** Judges requests. */
export class AdminGuard {
  readonly #host: string;
  readonly #token: Buffer | undefined;

  constructor({ host, token }: AdminGuardOptions) {
    this.#host = host.toLowerCase();
    this.#token = token === undefined ? undefined : digest(token);
  }

  /** @throws TidegateError `ADMIN_REFUSED` for a host or an origin that is not the API's own. */
  checkPlace({ host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders): void {
    if (!this.#isOwnHost(host)) {
      throw refused(`Host: got ${JSON.stringify(host ?? '')}; expected an IP address, localhost or ${this.#host}`);
    }
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
      throw refused(`Origin: got ${JSON.stringify(origin)}; expected that of ${host}`);
    }
    // Browsers leave Origin out of some reads; this they always send.
    if (site !== undefined && site !== 'same-origin' && site !== 'none') {
      throw refused(`Sec-Fetch-Site: got ${JSON.stringify(site)}; expected a page of its own, or none`);
    }
  }

  /** @throws TidegateError `ADMIN_UNAUTHORIZED` without the token. */
  checkToken({ authorization = '' }: IncomingHttpHeaders): void {
    if (this.#token === undefined) return;
    const shown = /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
    if (timingSafeEqual(digest(shown), this.#token)) return;
    const why = authorization === '' ? 'there is none' : 'it is another one';
    throw new TidegateError('ADMIN_UNAUTHORIZED', `Authorization: expected "Bearer" and the token; ${why}`);
  }

  #isOwnHost(text: string | undefined): boolean {
    const name = /^(\[[^\]]+\]|[^:[\]]+)(?::\d+)?$/.exec(text ?? '')?.[1]?.toLowerCase();
    if (name === undefined) return false;
    return name === 'localhost' || name === this.#host || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
  }
}

function refused(message: string): TidegateError {
  return new TidegateError('ADMIN_REFUSED', message);
}

// Of one length, as the comparison needs it.
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
