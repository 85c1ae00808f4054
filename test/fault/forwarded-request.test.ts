/** Owns what of a client's handshake a WebSocket target is told, and what is about one hop only (RFC 9110 section 7.6.1). */
import { describe, expect, it } from 'vitest';
import type { RawClientOptions } from '../support/raw-client.js';
import type { RawPeer } from '../support/raw-upstream.js';
import { openClient, startProxy, startUpstream } from './running.js';

/** Opens a connection through a proxy and gives the target's end of it. */
async function forwarded(options: Partial<RawClientOptions>, path = ''): Promise<{ peer: RawPeer; key: string }> {
  const upstream = await startUpstream();
  const proxy = await startProxy({ target: `${upstream.url}${path}` });
  const key = Buffer.alloc(16, 5).toString('base64');
  const client = { 'Sec-WebSocket-Key': key };
  const headers = Array.isArray(options.headers) ? [...options.headers] : { ...client, ...options.headers };
  await openClient({ port: proxy.port, ...options, headers });
  return { peer: await upstream.nextConnection(), key };
}

function linesOf(peer: RawPeer, name: string): string[] {
  const lines = peer.requestHead.split('\r\n');
  return lines.filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
}

describe('the request to a WebSocket target', () => {
  it('is a GET in HTTP/1.1 with the path and the query of the client', async () => {
    const { peer } = await forwarded({ path: '/chat/room%20one?token=a%2Fb&x=1&x=2' });
    expect(peer.requestLine).toBe('GET /chat/room%20one?token=a%2Fb&x=1&x=2 HTTP/1.1');
  });

  it('goes to the path of the target where that has one', async () => {
    const { peer } = await forwarded({ path: '/anything?token=1' }, '/fixed');
    expect(peer.requestLine).toBe('GET /fixed?token=1 HTTP/1.1');
  });

  it('names the target in Host, exactly once', async () => {
    const { peer } = await forwarded({ headers: { Host: 'public.example' } });
    expect(linesOf(peer, 'host').length).toBe(1);
    expect(peer.headers.host).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('has a handshake of its own, each field exactly once', async () => {
    const { peer, key } = await forwarded({ headers: { Connection: 'keep-alive, Upgrade', Upgrade: 'WebSocket' } });
    for (const name of ['Connection', 'Upgrade', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version']) {
      expect(linesOf(peer, name).length).toBe(1);
    }
    expect(peer.headers).toMatchObject({ upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' });
    expect(peer.headers['sec-websocket-key']).not.toBe(key);
  });

  it('keeps cookies, origin, authorization, user agent, languages and X-… as they came', async () => {
    const headers = {
      Cookie: 'a=1; b=2',
      Origin: 'https://app.example',
      Authorization: 'Bearer secret',
      'User-Agent': 'tide/1',
      'Accept-Language': 'de, en;q=0.5',
      'X-Request-Id': '42',
      'X-Empty': '',
    };
    const { peer } = await forwarded({ headers });
    for (const [name, value] of Object.entries(headers)) expect(linesOf(peer, name)).toEqual([`${name}: ${value}`]);
  });

  it('keeps a field that came more than once as often, in order', async () => {
    const { peer } = await forwarded({ headers: ['X-Step: one', 'X-Step: two', 'X-Step: three'] });
    expect(linesOf(peer, 'x-step')).toEqual(['X-Step: one', 'X-Step: two', 'X-Step: three']);
  });

  it('drops what is about one hop, and what Connection names', async () => {
    const { peer } = await forwarded({
      headers: {
        Connection: 'Upgrade, X-Hop, Keep-Alive',
        'X-Hop': 'mine',
        'Keep-Alive': 'timeout=5',
        'Proxy-Authorization': 'Basic c2VjcmV0',
        'Proxy-Connection': 'keep-alive',
        TE: 'trailers',
        Trailer: 'X-Later',
        'X-Kept': 'yes',
      },
    });
    for (const name of ['X-Hop', 'Keep-Alive', 'Proxy-Authorization', 'Proxy-Connection', 'TE', 'Trailer']) {
      expect(linesOf(peer, name)).toEqual([]);
    }
    expect(peer.headers['x-kept']).toBe('yes');
  });

  it('cannot lose a field of the handshake to a Connection that names it', async () => {
    const { peer } = await forwarded({ headers: { Connection: 'Upgrade, Host, Sec-WebSocket-Key' } });
    expect(peer.headers.host).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(linesOf(peer, 'sec-websocket-key').length).toBe(1);
  });

  it('offers the subprotocols of the client in their order', async () => {
    const { peer } = await forwarded({ subprotocols: ['v2.chat', 'v1.chat'] });
    expect(linesOf(peer, 'sec-websocket-protocol')).toEqual(['Sec-WebSocket-Protocol: v2.chat, v1.chat']);
  });

  it('offers permessage-deflate end to end, and no extension we do not understand', async () => {
    const { peer } = await forwarded({ extensions: 'x-unknown; a=1, permessage-deflate; client_max_window_bits' });
    expect(peer.headers['sec-websocket-extensions']).toBe('permessage-deflate; client_max_window_bits');
  });

  it('follows no host that the client wrote into its request target', async () => {
    const path = 'http://internal.example/secret?x=1';
    const { peer } = await forwarded({ path, headers: { Host: 'internal.example' } });
    expect(peer.requestLine).toBe('GET /secret?x=1 HTTP/1.1');
    expect(peer.headers.host).toMatch(/^127\.0\.0\.1:\d+$/);
  });
});
