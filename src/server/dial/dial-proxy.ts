/** Owns the proxy through which targets are dialled: how it is written, and the tunnel through it. Refuses to show its password. */
import type { Duplex } from 'node:stream';
import type tls from 'node:tls';
import { HttpConnectHandshake } from '../../protocol/http-connect.js';
import { MAX_SOCKS_TEXT, Socks5Handshake } from '../../protocol/socks5.js';
import type { ProxyCredentials, TunnelHandshake } from '../../protocol/tunnel-handshake.js';
import type { DialSignal } from './dial-signal.js';
import { parseTarget, type TcpTarget } from './target.js';

/** A proxy that makes tunnels. */
export interface DialProxy {
  readonly speaks: 'socks5' | 'http';
  /** Where it is. */
  readonly target: TcpTarget;
  /** Whether names are resolved by it, and not here. */
  readonly resolvesNames: boolean;
  readonly credentials: ProxyCredentials | undefined;
  /** For people; without credentials. */
  readonly href: string;
}

/** What a proxy may be, for messages. */
export const PROXY_FORMS =
  'socks5://[user:password@]host[:port], socks5h://… to have names resolved by the proxy, http://… or https://…';

const KINDS: Readonly<Record<string, { speaks: DialProxy['speaks']; secure: boolean; names: boolean; port: number }>> =
  {
    'socks5:': { speaks: 'socks5', secure: false, names: false, port: 1080 },
    'socks5h:': { speaks: 'socks5', secure: false, names: true, port: 1080 },
    'http:': { speaks: 'http', secure: false, names: true, port: 80 },
    'https:': { speaks: 'http', secure: true, names: true, port: 443 },
  };

/** Reads the text of a proxy. Answers what is wrong with it, in words that hold nothing of it. */
export function parseDialProxy(text: string): DialProxy | { readonly fault: string } {
  if (!URL.canParse(text)) return { fault: `write ${PROXY_FORMS}` };
  const url = new URL(text);
  const kind = KINDS[url.protocol];
  if (kind === undefined) return { fault: `write ${PROXY_FORMS}` };
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '')
    return { fault: 'a proxy has no path; encode /, ? and # in a password as %2F, %3F and %23' };
  const port = url.port === '' ? kind.port : Number(url.port);
  const credentials = credentialsOf(url);
  if (credentials === 'malformed')
    return { fault: 'the user name and password hold a % that encodes nothing; write %25' };
  if (credentials !== undefined && kind.speaks === 'socks5') {
    const longest = Math.max(Buffer.byteLength(credentials.username), Buffer.byteLength(credentials.password));
    if (longest > MAX_SOCKS_TEXT || credentials.username === '')
      return { fault: `SOCKS takes a user name and password of at most ${MAX_SOCKS_TEXT} bytes` };
  }
  try {
    const target = parseTarget(`${kind.secure ? 'tls' : 'tcp'}://${url.hostname}:${port}`);
    if (target.kind !== 'tcp') return { fault: `write ${PROXY_FORMS}` };
    const href = `${url.protocol}//${url.hostname}:${port}`;
    return { speaks: kind.speaks, target, resolvesNames: kind.names, credentials, href };
  } catch {
    return { fault: 'its host cannot be used' };
  }
}

function credentialsOf({ username, password }: URL): ProxyCredentials | 'malformed' | undefined {
  if (username === '' && password === '') return undefined;
  try {
    return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    return 'malformed';
  }
}

/** TLS towards the proxy itself: its certificate is verified, by the authorities given for targets if there are any. */
export function tlsToProxy({ target }: DialProxy, ca: tls.SecureContextOptions['ca']): tls.ConnectionOptions {
  return {
    host: target.host,
    ...(target.family === 0 ? { servername: target.host } : {}),
    ...(ca === undefined ? {} : { ca }),
  };
}

/**
 * Has the proxy open a tunnel over a connected stream, which comes back paused, with what the target sent first. Rejects with what
 * the proxy said, or the reason of the signal; the stream is destroyed then.
 */
export function openTunnel(
  proxy: DialProxy,
  stream: Duplex,
  to: { host: string; port: number },
  signal: DialSignal,
): Promise<void> {
  const order = { ...to, credentials: proxy.credentials };
  const handshake: TunnelHandshake =
    proxy.speaks === 'socks5' ? new Socks5Handshake(order) : new HttpConnectHandshake(order);
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort);
      stream.off('data', onData);
      stream.off('end', onEnd);
      stream.off('error', fail);
      stream.off('close', onEnd);
      stream.pause();
    };
    const fail = (error: unknown): void => {
      settle();
      stream.destroy();
      reject(error);
    };
    const onData = (bytes: Buffer): void => {
      const step = handshake.take(bytes);
      if (step.kind === 'failed') {
        fail(new Error(step.reason));
      } else if (step.kind === 'more') {
        if (step.send !== undefined) stream.write(step.send);
      } else {
        settle();
        if (step.rest.length > 0) stream.unshift(Buffer.from(step.rest));
        resolve();
      }
    };
    const onEnd = (): void => fail(new Error('it hung up before it answered'));
    const onAbort = (): void => fail(signal.reason);
    stream.on('data', onData);
    stream.once('end', onEnd);
    stream.once('error', fail);
    stream.once('close', onEnd);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) {
      onAbort();
      return;
    }
    stream.write(handshake.begin());
    stream.resume();
  });
}
