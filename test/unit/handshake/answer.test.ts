/** Owns what the two answers to a handshake look like, and that a refusal reaches its client, on both socket layers. */
import { describe, expect, it } from 'vitest';
import { acceptanceHead, type Refusal, writeRefusal } from '../../../src/server/handshake/answer.js';
import { lingerAndTerminate } from '../../../src/server/handshake/linger.js';
import type { WireLayer } from '../../../src/server/wires/wire-layer.js';
import { LAYERS } from '../../support/wires.js';
import { readAll, socketPair } from './pair.js';

interface Answer {
  readonly line: string;
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly body: string;
}

function parse(text: string): Answer {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...fields] = text.slice(0, end).split('\r\n');
  const headers = fields.map((field) => {
    const colon = field.indexOf(': ');
    return [field.slice(0, colon), field.slice(colon + 2)] as const;
  });
  return { line, headers, body: text.slice(end + 4) };
}

async function answerOn(layer: WireLayer, refusal: Refusal): Promise<Answer & { get(name: string): string[] }> {
  const { server, client } = await socketPair(layer);
  writeRefusal(server, refusal);
  const answer = parse(await readAll(client));
  const get = (name: string) => answer.headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
  return { ...answer, get };
}

describe('acceptanceHead', () => {
  const key = 'dGhlIHNhbXBsZSBub25jZQ==';

  it('answers the example of RFC 6455', () => {
    expect(acceptanceHead({ key, subprotocol: 'chat', extensions: 'x; y', headers: { 'X-A': ['1', '2'] } })).toBe(
      [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
        'Sec-WebSocket-Protocol: chat',
        'Sec-WebSocket-Extensions: x; y',
        'X-A: 1',
        'X-A: 2',
        '',
        '',
      ].join('\r\n'),
    );
  });

  it('leaves out headers that would contradict the handshake', () => {
    const headers = ['Content-Length', '5', 'connection', 'close', 'SEC-WEBSOCKET-PROTOCOL', 'x', 'Set-Cookie', 'a=1'];
    const head = acceptanceHead({ key, subprotocol: '', extensions: '', headers });
    expect(parse(head).headers.map(([name]) => name)).toEqual([
      'Upgrade',
      'Connection',
      'Sec-WebSocket-Accept',
      'Set-Cookie',
    ]);
  });

  it.each([
    ['X-A', 'a\r\nX-B: b'],
    ['X\nA', 'a'],
  ])('refuses to write the header %j with %j', (...headers) => {
    expect(() => acceptanceHead({ key, subprotocol: '', extensions: '', headers })).toThrow(
      expect.objectContaining({ code: 'INVALID_HEADER' }),
    );
  });

  it('refuses a subprotocol that would end the line', () => {
    expect(() => acceptanceHead({ key, subprotocol: 'a\r\nb', extensions: '' })).toThrow('Sec-WebSocket-Protocol');
  });
});

describe.each(LAYERS.map((layer) => [layer.kind, layer] as const))('writeRefusal on a %s wire', (_, layer) => {
  const answerTo = (refusal: Refusal) => answerOn(layer, refusal);

  it('sends a complete response', async () => {
    const answer = await answerTo({ status: 403 });
    expect(answer.line).toBe('HTTP/1.1 403 Forbidden');
    expect(answer.body).toBe('403 Forbidden\n');
    expect(answer.get('connection')).toEqual(['close']);
    expect(answer.get('content-length')).toEqual(['14']);
    expect(answer.get('content-type')).toEqual(['text/plain; charset=utf-8']);
    expect(Date.parse(answer.get('date')[0] ?? '')).toBeGreaterThan(0);
  });

  it('passes on what an upstream said, framed anew', async () => {
    const answer = await answerTo({
      status: 404,
      statusText: 'Nothing Here',
      headers: [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'Content-Type',
        'text/html',
        'Content-Length',
        '9',
        'Date',
        'then',
      ],
      body: Buffer.from('<b>no</b> '),
    });
    expect(answer.line).toBe('HTTP/1.1 404 Nothing Here');
    expect(answer.get('set-cookie')).toEqual(['a=1', 'b=2']);
    expect(answer.get('content-type')).toEqual(['text/html']);
    expect(answer.get('content-length')).toEqual(['10']);
    expect(answer.get('date')).toEqual(['then']);
    expect(answer.body).toBe('<b>no</b> ');
  });

  it('counts the length of a body in bytes', async () => {
    expect((await answerTo({ status: 400, body: 'é' })).get('content-length')).toEqual(['2']);
  });

  it('tells the client how to come again', async () => {
    const upgrade = await answerTo({ status: 426 });
    expect(upgrade.get('upgrade')).toEqual(['websocket']);
    expect(upgrade.get('connection')).toEqual(['close, Upgrade']);
    expect(upgrade.get('sec-websocket-version')).toEqual(['13']);
    expect((await answerTo({ status: 503 })).get('retry-after')).toEqual(['5']);
    expect((await answerTo({ status: 429, headers: { 'retry-after': '60' } })).get('retry-after')).toEqual(['60']);
  });

  it('leaves out a header that would end its line, and sends the rest', async () => {
    const answer = await answerTo({ status: 403, headers: { 'X-A': 'a\r\nX-B: b', 'X-C': 'c' } });
    expect(answer.get('x-c')).toEqual(['c']);
    expect(answer.get('x-b')).toEqual([]);
    expect(answer.get('x-a')).toEqual([]);
  });

  it('sends 500 for a status that is none, and the standard text for a text that is none', async () => {
    expect((await answerTo({ status: 101 })).line).toBe('HTTP/1.1 500 Internal Server Error');
    expect((await answerTo({ status: 404, statusText: 'No\r\nX: y' })).line).toBe('HTTP/1.1 404 Not Found');
  });

  it('sends no body where HTTP has none', async () => {
    const answer = await answerTo({ status: 204, body: 'x' });
    expect(answer.body).toBe('');
    expect(answer.get('content-length')).toEqual([]);
  });

  it('reaches a client that sends more than anyone reads', async () => {
    const { server, client, gone } = await socketPair(layer);
    client.write(Buffer.alloc(4_000_000));
    writeRefusal(server, { status: 400 });
    expect(await readAll(client)).toContain('400 Bad Request\n');
    await gone;
  });

  it('leaves a wire alone that is answered or gone', async () => {
    const { server, client, gone } = await socketPair(layer);
    writeRefusal(server, { status: 403 });
    writeRefusal(server, { status: 500 });
    expect(await readAll(client)).not.toContain('500');
    await gone;
    expect(() => writeRefusal(server, { status: 500 })).not.toThrow();
  });

  it('survives a client that resets', async () => {
    const { server, client, gone } = await socketPair(layer);
    client.resetAndDestroy();
    writeRefusal(server, { status: 403 });
    await gone;
  });
});

describe.each(LAYERS.map((layer) => [layer.kind, layer] as const))('lingerAndTerminate of a %s wire', (_, layer) => {
  it('cuts a peer that does not close in time', async () => {
    const { server, client, gone } = await socketPair(layer);
    client.allowHalfOpen = true;
    client.resume();
    server.write(Buffer.from('answer'));
    lingerAndTerminate(server, 20);
    await gone;
    expect(client.writable).toBe(true);
  });

  it('is over as soon as the peer closes, and throws away what it sends until then', async () => {
    const { server, client, gone, record } = await socketPair(layer);
    client.allowHalfOpen = true;
    lingerAndTerminate(server, 600_000);
    client.write(Buffer.alloc(1_000_000));
    expect(await readAll(client)).toBe('');
    client.end('the last word');
    await gone;
    expect(record.told).toEqual([]);
  });
});
