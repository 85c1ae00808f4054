/** Owns asking an admin API, with any header field and any bytes. Refuses to judge the answer. */
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';

/** What is asked. */
export interface AdminQuestion {
  readonly path: string;
  /** Default: `GET`. */
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Sent as JSON, and said to be; text and bytes are sent as they are. */
  readonly body?: unknown;
}

/** What came back. */
export interface AdminAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The JSON of it; undefined for none. */
  readonly body: unknown;
}

/** Asks once, on a connection of its own. */
export function askAdmin(
  url: string,
  { path, method = 'GET', headers = {}, body }: AdminQuestion,
): Promise<AdminAnswer> {
  return new Promise((resolve, reject) => {
    const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
    const outgoing = request(new URL(url), {
      path,
      method,
      agent: false,
      headers: { ...(isJson ? { 'Content-Type': 'application/json' } : {}), ...headers },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { statusCode: status = 0, headers: fields } = response;
        resolve({ status, headers: fields, text, body: text === '' ? undefined : JSON.parse(text) });
      });
    });
    if (body === undefined) outgoing.end();
    else outgoing.end(isJson ? JSON.stringify(body) : (body as string | Buffer));
  });
}
