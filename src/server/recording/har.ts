/**
 * Owns what a recording looks like as HAR 1.2, with `_webSocketMessages` as Chromium writes it. Refuses what HAR has no place for: frames,
 * pings and the steps of charts.
 */
import { RECORDING_VERSION } from './format.js';
import type { Recording } from './read-recording.js';
import { type RecordedMessage, recordedMessages } from './recorded-messages.js';

interface NameValue {
  readonly name: string;
  readonly value: string;
}

/** A message in a HAR, as the developer tools of Chromium have it: binary ones in base64. */
export interface HarWebSocketMessage {
  /** From the point of view of the client. */
  readonly type: 'send' | 'receive';
  /** Seconds since the epoch. */
  readonly time: number;
  readonly opcode: 1 | 2;
  readonly data: string;
}

/** A HAR of one WebSocket. */
export interface Har {
  readonly log: {
    readonly version: '1.2';
    readonly creator: { readonly name: string; readonly version: string };
    readonly pages: readonly never[];
    readonly entries: readonly HarEntry[];
  };
}

/** The one entry. */
export interface HarEntry {
  readonly startedDateTime: string;
  /** Milliseconds. */
  readonly time: number;
  readonly request: object;
  readonly response: object;
  readonly cache: object;
  readonly timings: { readonly send: number; readonly wait: number; readonly receive: number };
  readonly serverIPAddress: string;
  readonly connection: string;
  readonly _resourceType: 'websocket';
  readonly _webSocketMessages: readonly HarWebSocketMessage[];
}

/** Makes a HAR of a recording. Messages whose payloads are not there are left out. */
export function toHar(recording: Recording): Har {
  const { header, lines } = recording;
  const began = Date.parse(header.began);
  const messages = recordedMessages(recording).flatMap((message) => messageOf(message, began) ?? []);
  const end = lines.at(-1)?.t ?? 0;
  const opened = lines.find((line) => line.type === 'step' && line.event.type === 'decision.accept')?.t ?? 0;
  const entry: HarEntry = {
    startedDateTime: header.began,
    time: end,
    request: requestOf(recording),
    response: responseOf(recording),
    cache: {},
    timings: { send: 0, wait: opened, receive: Math.max(0, end - opened) },
    serverIPAddress: header.request.localAddress,
    connection: String(header.request.remotePort),
    _resourceType: 'websocket',
    _webSocketMessages: messages,
  };
  return {
    log: {
      version: '1.2',
      creator: { name: 'tidegate', version: `recording ${RECORDING_VERSION}` },
      pages: [],
      entries: [entry],
    },
  };
}

function messageOf({ t, from, kind, data, flaw }: RecordedMessage, began: number): HarWebSocketMessage | undefined {
  if (kind !== 'text' && kind !== 'binary' && kind !== 'bytes') return undefined;
  // What was blotted out on purpose is a message still; half of one is not.
  if (flaw !== undefined && flaw !== 'redacted') return undefined;
  const isText = kind === 'text';
  return {
    type: from === 'client' ? 'send' : 'receive',
    time: (began + t) / 1000,
    opcode: isText ? 1 : 2,
    data: data.toString(isText ? 'utf8' : 'base64'),
  };
}

function requestOf({ header: { request, transport } }: Recording): object {
  const host = request.headers.find(([name]) => name.toLowerCase() === 'host')?.[1];
  const authority = host ?? `${request.localAddress}:${request.localPort}`;
  const scheme = transport === 'tcp' ? 'tcp' : request.secure ? 'wss' : 'ws';
  const [, query = ''] = /\?([^#]*)/.exec(request.url) ?? [];
  return {
    method: request.method === '' ? 'GET' : request.method,
    url: request.url.startsWith('/') ? `${scheme}://${authority}${request.url}` : `${scheme}://${authority}/`,
    httpVersion: 'HTTP/1.1',
    headers: namesAndValues(request.headers),
    queryString: query === '' ? [] : query.split('&').map(parameterOf),
    cookies: [],
    headersSize: -1,
    bodySize: 0,
  };
}

function responseOf({ header: { response } }: Recording): object {
  return {
    status: response?.status ?? 0,
    statusText: response?.statusText ?? '',
    httpVersion: 'HTTP/1.1',
    headers: namesAndValues(response?.headers ?? []),
    cookies: [],
    content: { size: 0, mimeType: 'x-unknown' },
    redirectURL: '',
    headersSize: -1,
    bodySize: -1,
  };
}

function namesAndValues(fields: readonly (readonly [string, string])[]): NameValue[] {
  return fields.map(([name, value]) => ({ name, value }));
}

function parameterOf(text: string): NameValue {
  const equals = text.indexOf('=');
  return equals === -1 ? { name: text, value: '' } : { name: text.slice(0, equals), value: text.slice(equals + 1) };
}
