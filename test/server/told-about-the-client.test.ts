/**
 * Owns what a target is told about the client: PROXY protocol headers, read by nginx and HAProxy where they are installed, and
 * forwarded header fields.
 */
import { describe, expect, it } from 'vitest';
import { accept, ProxyServer, type ProxyServerOptions } from '../../src/index.js';
import { configFile, programPath, startConnectProxy, startProgram } from '../support/proxies.js';
import { QuietReceiver } from '../support/recording-receiver.js';
import { localhostCertificate } from '../support/tls.js';
import { handshake, startEcho, startProxy, startTcp, startUpstream } from './stage.js';

const { cert: ca } = localhostCertificate;
const VERSIONS = ['v1', 'v2'] as const;

/** Every address and port that the answer of a receiver names. */
async function seenBy(port: number, options: ProxyServerOptions & { localAddress?: string }): Promise<string> {
  const { localAddress, ...rest } = options;
  const { handshake: shake, port: own } = await startProxy({ target: `ws://127.0.0.1:${port}/`, ...rest });
  const answer = await shake(localAddress === undefined ? {} : { localAddress });
  expect(answer.status).toBe(200);
  return answer.body.trim().replace(`:${own}`, ':OWN');
}

describe.skipIf(programPath('nginx') === undefined)('nginx', () => {
  const nginx = () =>
    startProgram('nginx', async (port, folder) => {
      // Its checks for a port of its own come without a header, and are answered 400.
      const server = `server { listen 127.0.0.1:${port} proxy_protocol; location / { default_type text/plain; return 200 "$proxy_protocol_addr $proxy_protocol_server_addr:$proxy_protocol_server_port"; } }`;
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${folder}/${name};`,
      );
      const text = `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events {} http { access_log off; ${paths.join(' ')} ${server} }`;
      return ['-p', folder, '-c', await configFile(folder, 'nginx.conf', text), '-e', 'stderr'];
    });

  it.each(VERSIONS)(
    'is told the address of the client by %s, before the WebSocket handshake',
    async (sendProxyProtocol) => {
      const { port } = await nginx();
      const seen = await seenBy(port, { sendProxyProtocol, localAddress: '127.0.0.9' });
      expect(seen).toBe('127.0.0.9 127.0.0.1:OWN');
    },
  );
});

describe.skipIf(programPath('haproxy') === undefined)('HAProxy', () => {
  const haproxy = (bind = '') =>
    startProgram('haproxy', async (port, folder) => {
      await configFile(folder, 'both.pem', `${localhostCertificate.cert}\n${localhostCertificate.key}`);
      const text = [
        'global\n  maxconn 50',
        'defaults\n  mode http\n  timeout client 10s\n  timeout server 10s\n  timeout connect 10s',
        `frontend f\n  bind 127.0.0.1:${port} accept-proxy ${bind.replace('FOLDER', folder)}`,
        '  http-request return status 200 content-type text/plain lf-string "%[src] %[dst]:%[dst_port] %[fc_pp_authority]"\n',
      ];
      return ['-f', await configFile(folder, 'haproxy.cfg', text.join('\n')), '-db', '-q'];
    });

  it.each(VERSIONS)('is told the address of the client by %s', async (sendProxyProtocol) => {
    const { port } = await haproxy();
    expect(await seenBy(port, { sendProxyProtocol, localAddress: '127.0.0.9' })).toBe('127.0.0.9 127.0.0.1:OWN');
  });

  it.each(VERSIONS)('reads %s before TLS', async (sendProxyProtocol) => {
    const { port } = await haproxy('ssl crt FOLDER/both.pem');
    const seen = await seenBy(port, {
      sendProxyProtocol,
      target: `wss://localhost:${port}/`,
      upstreamTls: { ca },
      localAddress: '127.0.0.9',
    });
    expect(seen).toBe('127.0.0.9 127.0.0.1:OWN');
  });

  it('is told by v2 which name the client asked TLS for, and IPv6 addresses', async () => {
    const { port } = await haproxy();
    const proxy = await startProxy({
      listen: { host: '::1', port: 0, tls: localhostCertificate },
      target: `ws://127.0.0.1:${port}/`,
      sendProxyProtocol: 'v2',
    });
    const { body } = await handshake({ host: '::1', port: proxy.port, tls: { ca, servername: 'localhost' } });
    expect(body).toBe(`::1 ::1:${proxy.port} localhost`);
  });
});

describe('a PROXY protocol header', () => {
  it('goes to byte targets too, first of all, on every way to them', async () => {
    const proxy = await startConnectProxy();
    const read = async (target: Awaited<ReturnType<typeof startTcp>>, options: ProxyServerOptions): Promise<string> => {
      const running = await startProxy({
        target: target.url,
        sendProxyProtocol: 'v1',
        upstreamTls: { ca },
        ...options,
      });
      const client = await running.open();
      client.sendBinary(Buffer.from('first'));
      const got = (await (await target.nextConnection()).readUntil('first')).toString();
      return got.replace(`${running.port}`, 'OWN').replace(/\d{4,5} OWN/, 'PORT OWN');
    };
    const header = 'PROXY TCP4 127.0.0.1 127.0.0.1 PORT OWN\r\nfirst';
    expect(await read(await startTcp(), {})).toBe(header);
    expect(await read(await startTcp({ unix: true }), {})).toBe(header);
    expect(await read(await startTcp(), { dialThrough: `http://127.0.0.1:${proxy.port}` })).toBe(header);
    const hooked = await startTcp();
    const { connect } = await import('node:net');
    expect(await read(hooked, { connect: () => connect(hooked.port, '127.0.0.1') })).toBe(header);
  });

  it('cannot go ahead of a client, so that warm connections refuse it', () => {
    const options = { target: 'tcp://127.0.0.1:1', warmConnections: 1, sendProxyProtocol: 'v1' } as const;
    expect(() => new ProxyServer(options)).toThrow(
      'sendProxyProtocol: got "v1"; expected \'off\' beside warmConnections: those are opened before there is a client',
    );
  });
});

describe('forwarded header fields', () => {
  const headersFor = async (options: ProxyServerOptions, headers: Record<string, string> = {}) => {
    const upstream = await startUpstream();
    const { open, port } = await startProxy({ target: upstream.url, ...options });
    await open({ headers: { Host: 'app.example:81', ...headers } });
    const peer = await upstream.nextConnection();
    return { headers: peer.headers, port, upstream };
  };

  it('tell a WebSocket target who asks, by default, and nobody else is believed', async () => {
    const { headers, port } = await headersFor({}, { 'X-Forwarded-For': '10.9.9.9', Forwarded: 'for=10.9.9.9' });
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'app.example:81',
      'x-forwarded-port': `${port}`,
    });
    expect(headers.forwarded).toBeUndefined();
  });

  it('cannot be called off by naming them in Connection', async () => {
    const { headers } = await headersFor({}, { Connection: 'Upgrade, X-Forwarded-For, X-Forwarded-Host' });
    expect(headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': 'app.example:81' });
  });

  it('may be those of RFC 7239, both, or none', async () => {
    const standard = await headersFor({ forwardedHeaders: 'forwarded' });
    expect(standard.headers.forwarded).toBe('for=127.0.0.1;host="app.example:81";proto=http');
    expect(standard.headers['x-forwarded-for']).toBeUndefined();
    const both = await headersFor({ forwardedHeaders: 'both' });
    expect(Object.keys(both.headers)).toEqual(expect.arrayContaining(['forwarded', 'x-forwarded-for']));
    const none = await headersFor({ forwardedHeaders: 'off' }, { 'X-Forwarded-For': '10.9.9.9' });
    expect(none.headers).toMatchObject({ 'x-forwarded-for': '10.9.9.9' });
    expect(none.headers['x-forwarded-host']).toBeUndefined();
  });

  it('stand beside a Host of the target, or of the client when it is asked for', async () => {
    const own = await headersFor({});
    expect(own.headers.host).toBe(`127.0.0.1:${own.upstream.port}`);
    const clients = await headersFor({ hostHeader: 'client' });
    expect(clients.headers.host).toBe('app.example:81');
  });
});

describe('TLS settings of one connection', () => {
  it('stand in place of those of the server', async () => {
    const target = await startEcho({ tls: localhostCertificate });
    const { open, handshake: shake } = await startProxy({
      receiver: () =>
        new QuietReceiver({
          onUpgradeRequest: ({ path }) =>
            accept({ target: `tls://localhost:${target.port}`, ...(path === '/own' ? { upstreamTls: { ca } } : {}) }),
        }),
    });
    expect((await shake({ path: '/' })).status).toBe(502);
    const client = await open({ path: '/own' });
    client.sendBinary(Buffer.from('x'));
    expect((await client.nextBinary()).toString()).toBe('x');
  });
});
