/** Owns what code may do with plain requests and their answers: the shapes of the hooks. Refuses to call them. */
import type { TidegateError, UpgradeRequest } from '../../receivers/index.js';
import type { FieldList } from './field-list.js';

/** A plain request, as it came, without the credentials that were for us. */
export type HttpRequest = Omit<UpgradeRequest, 'transport' | 'subprotocols' | 'extensions'>;

/** What is going to be done for a request; whatever is changed in it is done instead. */
export interface HttpPlan {
  /** Path and query to ask the backend for, as they go out. Begins as those of the request. */
  url: string;
  /** The end-to-end fields that go out, `Host` among them. Fields that frame the message or belong to one hop are ours. */
  readonly headers: FieldList;
  /** The id of the backend to ask. Undefined: whichever is picked. One that is not available is answered 503. */
  backend: string | undefined;
  /** Where to go in place of a backend: `http://host:port` or `https://…`. The option `targets` says where it may. */
  target: string | undefined;
  /**
   * Answers the request; no backend is asked.
   *
   * @param status 200 to 599.
   * @throws TidegateError `INVALID_STATUS`; `INVALID_HEADER` for a field that HTTP does not allow.
   */
  respond(status: number, options?: HttpAnswer): void;
}

/** An answer of our own. */
export interface HttpAnswer {
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Sent as `text/plain` unless a `Content-Type` is given. */
  readonly body?: string | Uint8Array | undefined;
}

/** The answer to a request just before it goes to the client; whatever is changed in it goes instead. */
export interface HttpResponse {
  status: number;
  /** The end-to-end fields that go out. */
  readonly headers: FieldList;
  /** The backend that was asked last; undefined when there was none, or another target. */
  readonly backend: string | undefined;
  /** Puts a body in place of the one that came, which is not read any further. */
  replaceBody(body: string | Uint8Array): void;
}

/** The hooks about plain requests. */
export interface HttpHooks {
  /**
   * Called for each plain request before a backend is picked for it, once however many are tried (sgc: OnLoadBalancerHTTPRequest). May
   * change `plan`, or answer by it, and may be asynchronous; the client's leaving aborts `request.signal`. A throw answers 500 and is told
   * as `exception`. It may call into the balancer.
   */
  readonly onHttpRequest?: ((request: HttpRequest, plan: HttpPlan) => void | Promise<void>) | undefined;
  /**
   * Called when a backend has begun its answer, or when none did (sgc: OnLoadBalancerHTTPResponse): then `error` says why, and `response`
   * is the page that the client is about to get, 502, 503 or 504. Called once for each request that was to be forwarded, unless the client
   * has left. May be asynchronous; nothing goes to the client before. A throw answers 500 and is told as `exception`.
   */
  readonly onHttpResponse?:
    | ((request: HttpRequest, response: HttpResponse, error: TidegateError | undefined) => void | Promise<void>)
    | undefined;
}

/** How a plain request ended, for a log. Holds no query, no fields and no credentials. */
export interface HttpReport {
  readonly method: string;
  /** The path that the client asked for. */
  readonly path: string;
  /** 0 when the client left before there was an answer. */
  readonly status: number;
  /** The id of the backend, or the target of a hook; undefined when none was asked. */
  readonly backend: string | undefined;
  readonly remoteAddress: string;
  /** Bytes of the body of the request. */
  readonly bytesReceived: number;
  /** Bytes of the body of the answer. */
  readonly bytesSent: number;
  /** Milliseconds. */
  readonly duration: number;
  /** Whether the client got all of its answer. */
  readonly complete: boolean;
  /** Backends that were asked in vain before. */
  readonly retries: number;
  /** Why it was refused, failed or was cut. */
  readonly error: TidegateError | undefined;
}
