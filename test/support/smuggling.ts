/**
 * Owns requests that two readers of HTTP may take for two different things, as text. In each `INNER` is what an attacker wants
 * somebody to take for a request of its own. Refuses to send them.
 */

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** The fields of a valid handshake. */
const HANDSHAKE_FIELDS: readonly string[] = [
  'Host: front.example',
  'Upgrade: websocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Key: ${KEY}`,
  'Sec-WebSocket-Version: 13',
];

/** A valid handshake for a path that nobody may reach. */
export const INNER = `GET /inner HTTP/1.1\r\n${HANDSHAKE_FIELDS.join('\r\n')}\r\n\r\n`;

/** A request of a line and fields, with what follows its head. */
export function requestOf(line: string, fields: readonly string[], rest = ''): string {
  return `${line}\r\n${fields.join('\r\n')}\r\n\r\n${rest}`;
}

const LINE = 'GET /outer HTTP/1.1';

/** A valid handshake with more fields. */
const withFields = (added: readonly string[], rest = INNER): string =>
  requestOf(LINE, [...HANDSHAKE_FIELDS, ...added], rest);

/** A valid handshake with one field written in another way. */
const changed = (name: string, field: string, rest = INNER): string =>
  requestOf(
    LINE,
    HANDSHAKE_FIELDS.map((one) => (one.startsWith(name) ? field : one)),
    rest,
  );

/** A valid handshake with another request line. */
const withLine = (line: string, rest = INNER): string => requestOf(line, HANDSHAKE_FIELDS, rest);

const CHUNKED_INNER = `${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`;

/** What it is, and the request. None is a valid handshake. */
export const SMUGGLING_REQUESTS: readonly (readonly [what: string, request: string])[] = [
  // Two readers see the end of the body in two places.
  ['Content-Length around another request', withFields([`Content-Length: ${INNER.length}`])],
  ['Transfer-Encoding around another request', withFields(['Transfer-Encoding: chunked'], CHUNKED_INNER)],
  [
    'Content-Length and Transfer-Encoding',
    withFields([`Content-Length: ${CHUNKED_INNER.length}`, 'Transfer-Encoding: chunked'], CHUNKED_INNER),
  ],
  [
    'Transfer-Encoding and Content-Length',
    withFields(['Transfer-Encoding: chunked', 'Content-Length: 4'], `0\r\n\r\n${INNER}`),
  ],
  [
    'Content-Length of nothing beside Transfer-Encoding',
    withFields(['Content-Length: 0', 'Transfer-Encoding: chunked']),
  ],
  ['two Content-Lengths', withFields(['Content-Length: 0', `Content-Length: ${INNER.length}`])],
  ['the same Content-Length twice', withFields(['Content-Length: 0', 'Content-Length: 0'])],
  ['a list of Content-Lengths', withFields([`Content-Length: 0, ${INNER.length}`])],
  ['a Content-Length with a sign', withFields([`Content-Length: +${INNER.length}`])],
  ['a negative Content-Length', withFields(['Content-Length: -1'])],
  ['a Content-Length in hexadecimal', withFields(['Content-Length: 0x10'])],
  ['a Content-Length with a space in it', withFields(['Content-Length: 0 0'])],
  ['an empty Content-Length', withFields(['Content-Length:'])],
  ['an empty Transfer-Encoding', withFields(['Transfer-Encoding:'])],
  ['Transfer-Encoding: identity', withFields(['Transfer-Encoding: identity'])],
  ['Transfer-Encoding: xchunked', withFields(['Transfer-Encoding: xchunked'], CHUNKED_INNER)],
  ['Transfer-Encoding: chunked, identity', withFields(['Transfer-Encoding: chunked, identity'], CHUNKED_INNER)],
  ['two Transfer-Encodings', withFields(['Transfer-Encoding: x', 'Transfer-Encoding: chunked'], CHUNKED_INNER)],
  ['a Transfer-Encoding with a vertical tab', withFields(['Transfer-Encoding: \x0bchunked'], CHUNKED_INNER)],
  ['a Transfer-Encoding in quotes', withFields(['Transfer-Encoding: "chunked"'], CHUNKED_INNER)],
  // Two readers see the end of a line in two places.
  ['a folded line', changed('Upgrade', 'Upgrade: web\r\n socket')],
  ['a folded line that hides a Transfer-Encoding', withFields(['X: y', ' Transfer-Encoding: chunked'], CHUNKED_INNER)],
  ['a folded first line', requestOf(LINE, [` ${HANDSHAKE_FIELDS[0]}`, ...HANDSHAKE_FIELDS], INNER)],
  ['a folded line with a tab', withFields(['X: y', '\tTransfer-Encoding: chunked'], CHUNKED_INNER)],
  ['a bare LF between fields', withFields(['X: y\nTransfer-Encoding: chunked'], CHUNKED_INNER)],
  ['bare LFs throughout', withFields([], '').replaceAll('\r\n', '\n')],
  ['a bare LF behind the request line', `${LINE}\n${HANDSHAKE_FIELDS.join('\r\n')}\r\n\r\n${INNER}`],
  ['an empty line of one LF', `${LINE}\r\n${HANDSHAKE_FIELDS.join('\r\n')}\r\n\n${INNER}`],
  ['a bare CR between fields', withFields(['X: y\rTransfer-Encoding: chunked'], CHUNKED_INNER)],
  ['bare CRs throughout', withFields([], '').replaceAll('\r\n', '\r')],
  ['a CR too many', withFields(['X: y\r'])],
  ['an empty line with a space', `${LINE}\r\n${HANDSHAKE_FIELDS.join('\r\n')}\r\n \r\n\r\n${INNER}`],
  ['a NUL in a value', withFields(['X: y\0z'])],
  ['a NUL in a name', withFields(['X\0: y'])],
  ['a NUL in the target', withLine('GET /outer\0 HTTP/1.1')],
  // Two readers see two names.
  ['a space before the colon', withFields(['Transfer-Encoding : chunked'], CHUNKED_INNER)],
  ['a tab before the colon', withFields(['Transfer-Encoding\t: chunked'], CHUNKED_INNER)],
  ['a space before the colon of a field of ours', changed('Upgrade', 'Upgrade : websocket')],
  ['a space in a name', withFields(['Transfer Encoding: chunked'])],
  ['no name', withFields([': chunked'])],
  ['no colon', withFields(['Transfer-Encoding'])],
  ['a name with a letter that is not ASCII', withFields(['Transfer-Encoding\xa0: chunked'], CHUNKED_INNER)],
  // Two readers see two requests, hosts or paths.
  ['a URL of another host than Host', withLine('GET http://inside.example/outer HTTP/1.1')],
  ['a URL with credentials', withLine('GET http://front.example@inside.example/ HTTP/1.1')],
  ['a URL without a host', withLine('GET http:///outer HTTP/1.1')],
  ['a URL of another scheme', withLine('GET file://front.example/etc/passwd HTTP/1.1')],
  ['host and port for a target', withLine('GET front.example:80 HTTP/1.1')],
  ['CONNECT', withLine('CONNECT front.example:80 HTTP/1.1')],
  ['an asterisk for a target', withLine('GET * HTTP/1.1')],
  ['OPTIONS *', withLine('OPTIONS * HTTP/1.1')],
  ['a target without a slash', withLine('GET outer HTTP/1.1')],
  ['a target with a fragment', withLine('GET /outer#/inner HTTP/1.1')],
  ['a target with a space', withLine('GET /outer /inner HTTP/1.1')],
  ['a target with a line end and a second request', withLine('GET /outer HTTP/1.1\r\nGET /inner HTTP/1.1')],
  ['two spaces before the version', withLine('GET /outer  HTTP/1.1')],
  ['a tab in the request line', withLine('GET\t/outer HTTP/1.1')],
  ['a space before the method', withLine(' GET /outer HTTP/1.1')],
  ['a space behind the version', withLine('GET /outer HTTP/1.1 ')],
  ['two Hosts', withFields(['Host: inside.example'])],
  ['a list of hosts', changed('Host', 'Host: front.example, inside.example')],
  ['no Host', requestOf(LINE, HANDSHAKE_FIELDS.slice(1), INNER)],
  ['a Host with a path', changed('Host', 'Host: front.example/inside')],
  ['a Host with credentials', changed('Host', 'Host: front.example@inside.example')],
  ['two keys', withFields([`Sec-WebSocket-Key: ${KEY}`])],
  ['two versions', withFields(['Sec-WebSocket-Version: 13'])],
  ['two Origins', withFields(['Origin: https://a.example', 'Origin: https://b.example'])],
  ['two Authorizations', withFields(['Authorization: Basic YTpi', 'Authorization: Basic YTpj'])],
  // Another protocol.
  ['HTTP/1.0', withLine('GET /outer HTTP/1.0')],
  ['HTTP/2.0', withLine('GET /outer HTTP/2.0')],
  ['HTTP/0.9', 'GET /outer\r\n\r\n'],
  ['http in lower case', withLine('GET /outer http/1.1')],
  ['an upgrade to HTTP/2', changed('Upgrade', 'Upgrade: h2c')],
  [
    'an upgrade to HTTP/2 with its settings',
    changed('Upgrade', 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'),
  ],
  ['POST', withLine('POST /outer HTTP/1.1')],
  ['a plain request before the handshake', `GET /outer HTTP/1.1\r\nHost: front.example\r\n\r\n${INNER}`],
  ['a refused handshake before another one', changed('Sec-WebSocket-Version', 'Sec-WebSocket-Version: 8')],
  [
    'draft hixie-76',
    requestOf(
      LINE,
      [
        'Host: front.example',
        'Connection: Upgrade',
        'Sec-WebSocket-Key2: 12998 5 Y3 1  .P00',
        'Upgrade: WebSocket',
        'Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5',
        'Origin: http://front.example',
      ],
      '^n:ds[4U',
    ),
  ],
  [
    'draft hixie-75',
    requestOf(LINE, ['Upgrade: WebSocket', 'Connection: Upgrade', 'Host: front.example', 'WebSocket-Protocol: a']),
  ],
];

/** What a client of HTTP/2 begins with that does not ask first, and a request behind it. It is answered in frames of HTTP/2. */
export const HTTP2_PREFACE = `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${INNER}`;
