/** Owns asking the admin API, with the token. Refuses to decide when, and what becomes of an answer. */
import { eventData } from './event-data.js';
import type { TokenKeeper } from './token-keeper.js';

/** An answer that is none: the server said no, or nothing at all. */
export class ApiFailure extends Error {
  constructor(
    message: string,
    /** Of HTTP; 0 where there was no answer. */
    readonly status: number,
    /** Of the table of errors; empty where there is none. */
    readonly code: string,
  ) {
    super(message);
  }

  /** Nobody answers, or nobody who could: it may get better by itself. */
  get isOutage(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

type Query = Readonly<Record<string, string | undefined>>;

/** Milliseconds until a request counts as unanswered. */
const PATIENCE = 10_000;

/** The admin API of the place where the page is from. */
export class Api {
  readonly #token: TokenKeeper;
  /** The server that is asked about; empty for the first. */
  server = '';

  constructor(token: TokenKeeper) {
    this.#token = token;
  }

  /** @throws ApiFailure */
  get<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
    return this.#json(path, query, { signal: limited(signal) });
  }

  /** @throws ApiFailure */
  post<Answer>(path: string, body: object = {}): Promise<Answer> {
    const headers = { 'Content-Type': 'application/json' };
    return this.#json(path, {}, { method: 'POST', headers, body: JSON.stringify(body), signal: limited() });
  }

  /** The data of each event of a stream, until it ends. @throws ApiFailure */
  async *follow(path: string, query: Query, signal: AbortSignal): AsyncGenerator<string> {
    const response = await this.#ask(path, query, { signal });
    if (response.body === null) return;
    yield* eventData(response.body);
  }

  async #json<Answer>(path: string, query: Query, init: RequestInit): Promise<Answer> {
    const response = await this.#ask(path, query, init);
    try {
      return (await response.json()) as Answer;
    } catch {
      throw new ApiFailure('the answer of the server broke off', 0, '');
    }
  }

  async #ask(path: string, query: Query, init: RequestInit): Promise<Response> {
    const said = Object.entries({ ...query, server: this.server }).filter(([, value]) => value);
    const parameters = new URLSearchParams(said as [string, string][]).toString();
    const headers = new Headers(init.headers);
    if (this.#token.value !== '') headers.set('Authorization', `Bearer ${this.#token.value}`);
    let response: Response;
    try {
      response = await fetch(parameters === '' ? path : `${path}?${parameters}`, {
        ...init,
        headers,
        cache: 'no-store',
      });
    } catch (error) {
      throw new ApiFailure(error instanceof Error ? error.message : 'no answer', 0, '');
    }
    if (!response.ok) throw await failureOf(response);
    return response;
  }
}

function limited(signal?: AbortSignal): AbortSignal {
  const patience = AbortSignal.timeout(PATIENCE);
  return signal === undefined ? patience : AbortSignal.any([signal, patience]);
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const said = (await response.json().catch(() => undefined)) as
    | { error?: { code?: string; message?: string } }
    | undefined;
  const { code = '', message = `the server answered with ${response.status}` } = said?.error ?? {};
  return new ApiFailure(message, response.status, code);
}
