/** Owns asking the admin API of a running server for the command line. Refuses to know what is asked. */
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { describeError, ERRORS, type ErrorCode, TidegateError } from '../../../receivers/errors.js';

/** Which server is asked, and by what right. */
export interface AdminTarget {
  /** Such as `http://127.0.0.1:9090`. */
  readonly url: string;
  readonly token?: string | undefined;
  /** The name of one of several servers; the first without. */
  readonly server?: string | undefined;
}

/** Milliseconds; an admin API on a busy server still answers sooner. */
const PATIENCE = 10_000;

/** An answer is at most a page of a list. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Asks one admin API. */
export class AdminClient {
  readonly #target: AdminTarget;

  constructor(target: AdminTarget) {
    this.#target = target;
  }

  get url(): string {
    return this.#target.url;
  }

  /**
   * Asks once.
   *
   * @throws TidegateError `ADMIN_UNREACHABLE` when nothing answers that is an admin API; else with the code of the answer.
   */
  async get(path: string, query: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const { url, token, server } = this.#target;
    const place = new URL(url);
    place.pathname = `${place.pathname.replace(/\/$/, '')}${path}`;
    place.search = new URLSearchParams(server === undefined ? query : { ...query, server }).toString();
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    let answer: { status: number; text: string };
    try {
      answer = await ask(place, { headers, agent: false, signal: AbortSignal.timeout(PATIENCE) });
    } catch (error) {
      throw new TidegateError('ADMIN_UNREACHABLE', `nothing answers at ${url}: ${reasonOf(error)}`, { cause: error });
    }
    return this.#read(answer);
  }

  #read({ status, text }: { status: number; text: string }): unknown {
    const body = parsed(text);
    if (typeof body !== 'object' || body === null) {
      throw new TidegateError('ADMIN_UNREACHABLE', `${this.url} answers ${status}, but is no admin API of Tidegate`);
    }
    if (status < 400) return body;
    const { code, message } = ((body as { error?: object }).error ?? {}) as { code?: string; message?: string };
    if (code === undefined || !Object.hasOwn(ERRORS, code)) {
      throw new TidegateError(
        'ADMIN_UNREACHABLE',
        `${this.url} answers ${status}${code === undefined ? '' : ` (${code})`}`,
      );
    }
    throw new TidegateError(code as ErrorCode, message ?? '');
  }
}

function ask(url: URL, options: RequestOptions): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options);
    request.on('error', reject);
    request.on('response', (response) => {
      readAll(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    request.end();
  });
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error('its answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const { code, name } = error as { code?: string; name?: string };
  if (name === 'TimeoutError' || name === 'AbortError') return `no answer within ${PATIENCE / 1000} s`;
  // Of several addresses that were tried, Node.js says nothing but the code.
  return describeError(error) === '' ? String(code) : describeError(error);
}
