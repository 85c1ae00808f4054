/** Owns the contract of one thing that the admin API answers. Refuses to know which there are. */

/** A request to the admin API, after everything that is judged for all of them. */
export interface AdminRequest {
  /** What stands in place of the names in the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** What stands behind the `?`, but for `server`. */
  readonly query: URLSearchParams;
  /** What the JSON of its body says; undefined without one. */
  readonly body: unknown;
}

interface AnswerHead {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Called once when the answer is on its way, or its client is gone: for what would end this API itself. Must not throw. */
  readonly sent?: (() => void) | undefined;
}

/** An answer that becomes JSON. */
export interface JsonAnswer extends AnswerHead {
  readonly body: unknown;
}

/** An answer of another media type. */
export interface TextAnswer extends AnswerHead {
  /** Such as `text/plain; charset=utf-8`. */
  readonly type: string;
  readonly text: string | Buffer;
}

/** An answer that goes on: each piece is written when the one before is. Returned from when the client leaves or the API is closed. */
export interface StreamAnswer extends AnswerHead {
  readonly type: string;
  readonly stream: AsyncIterable<string>;
}

/** What is answered. */
export type AdminAnswer = JsonAnswer | TextAnswer | StreamAnswer;

/** One thing that can be asked for. */
export interface AdminRoute {
  /** `GET` answers `HEAD`, too. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Such as `/api/v1/backends/{id}`; a name in braces stands for one segment. */
  readonly path: string;
  /** Whether it is answered without the token: for what tells nothing about clients, such as probes and the page of the dashboard. */
  readonly open?: boolean | undefined;
  /** The parameters behind the `?` that it takes; any other is refused. Undefined: it judges them itself. */
  readonly query?: readonly string[] | undefined;
  /** Answers. A `TidegateError` becomes an answer with its code, its status and its help. */
  answer(request: AdminRequest): AdminAnswer | Promise<AdminAnswer>;
}

/** A route that was found, with what its path says. */
export interface FoundRoute {
  readonly route: AdminRoute;
  readonly params: Readonly<Record<string, string>>;
}

/** Looks for a route: found, there but not for this method (then those it is for), or undefined. */
export function findRoute(
  routes: readonly AdminRoute[],
  method: string,
  segments: readonly string[],
): FoundRoute | { readonly methods: readonly string[] } | undefined {
  const methods: string[] = [];
  for (const route of routes) {
    const params = paramsOf(route.path.split('/').slice(1), segments);
    if (params === undefined) continue;
    if (route.method === method || (route.method === 'GET' && method === 'HEAD')) return { route, params };
    methods.push(...(route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]));
  }
  return methods.length > 0 ? { methods } : undefined;
}

function paramsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index]!;
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name !== undefined && segment !== '') params[name] = segment;
    else if (part !== segment) return undefined;
  }
  return params;
}
