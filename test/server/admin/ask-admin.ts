/** Owns asking an admin API, with any header field and any bytes. Refuses to judge the answer. */
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';

/** What is asked. */
export interface AdminQuestion {
  readonly path: string;
  /** Default: `GET`. */
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Sent as JSON, and said to be, as is none of a change; text and bytes are sent as they are. */
  readonly body?: unknown;
}

/** What came back. */
export interface AdminAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The JSON of it; undefined for what is none. */
  readonly body: unknown;
}

/** Asks once, on a connection of its own. */
export function askAdmin(
  url: string,
  { path, method = 'GET', headers = {}, body }: AdminQuestion,
): Promise<AdminAnswer> {
  return new Promise((resolve, reject) => {
    const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
    const changes = isJson || (body === undefined && method !== 'GET' && method !== 'HEAD');
    const outgoing = request(new URL(url), {
      path,
      method,
      agent: false,
      headers: { ...(changes ? { 'Content-Type': 'application/json' } : {}), ...headers },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { statusCode: status = 0, headers: fields } = response;
        resolve({ status, headers: fields, text, body: jsonOf(text) });
      });
    });
    if (body === undefined) outgoing.end();
    else outgoing.end(isJson ? JSON.stringify(body) : (body as string | Buffer));
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
