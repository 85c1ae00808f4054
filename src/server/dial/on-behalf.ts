/**
 * Owns what a target is told about the client for whom it is dialled: the PROXY protocol header and the forwarded header fields.
 * Refuses to believe a client; who is believed was decided before.
 */
import type { ForwardedStyle, Forwarding } from '../../protocol/forwarded-fields.js';
import { encodeProxyHeader, type ProxiedTls, type ProxyHeaderVersion } from '../../protocol/write-proxy-header.js';
import type { TlsFacts, UpgradeRequest } from '../../receivers/index.js';

/** The bytes to send before everything else. */
export function proxyHeaderFor(request: UpgradeRequest, version: ProxyHeaderVersion): Buffer {
  const { remoteAddress, remotePort, localAddress, localPort, tls } = request;
  return encodeProxyHeader(version, {
    sourceAddress: remoteAddress,
    sourcePort: remotePort,
    destinationAddress: localAddress,
    destinationPort: localPort,
    tls: tls === undefined ? undefined : tlsOf(tls),
  });
}

/** The same for a connection of our own: nobody is behind it. */
export function proxyHeaderOfNobody(version: ProxyHeaderVersion): Buffer {
  return encodeProxyHeader(version, { sourceAddress: '', sourcePort: 0, destinationAddress: '', destinationPort: 0 });
}

/** What the header fields are to say. */
export function forwardingOf(request: UpgradeRequest, style: ForwardedStyle): Forwarding {
  const { remoteAddress, peerAddress, forwarded, host, localPort, tls } = request;
  return {
    style,
    address: remoteAddress,
    peer: peerAddress,
    trusted: forwarded !== undefined,
    secure: tls !== undefined,
    host,
    port: localPort,
  };
}

function tlsOf({ protocol, cipher, servername, alpnProtocol, authorized, peerName }: TlsFacts): ProxiedTls {
  return { version: protocol ?? '', cipher, servername, alpnProtocol, verified: authorized, commonName: peerName };
}
