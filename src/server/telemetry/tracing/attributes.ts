/** Owns what spans say of requests, targets and ends, in the words of OpenTelemetry's semantic conventions. Refuses to make spans. */
import type { Attributes } from '@opentelemetry/api';
import type { CloseReport, UpgradeRequest } from '../../../receivers/index.js';

/** A request, without its query: that is where secrets are. */
export function requestAttributes(id: string, request: UpgradeRequest): Attributes {
  const { transport, method, path, remoteAddress, remotePort, peerAddress, host, tls, localPort } = request;
  const common: Attributes = {
    'tidegate.connection.id': id,
    'client.address': remoteAddress,
    'client.port': remotePort,
    'network.peer.address': peerAddress,
    'server.port': localPort,
  };
  if (transport === 'tcp') return { ...common, 'network.transport': 'tcp' };
  return {
    ...common,
    'http.request.method': method,
    'url.scheme': tls === undefined ? 'http' : 'https',
    'url.path': path,
    'server.address': host.replace(/:\d+$/, ''),
  };
}

/** Where a target is. */
export function targetAttributes(href: string | undefined): Attributes {
  if (href === undefined) return {};
  const parts = /^(?<scheme>[a-z]+):\/\/(?:\[(?<v6>[^\]]+)\]|(?<host>[^:/?]+))(?::(?<port>\d+))?(?<path>\/[^?]*)?/.exec(
    href,
  );
  const { scheme = '', v6, host, port, path } = parts?.groups ?? {};
  const address = v6 ?? host;
  if (address === undefined) return { 'server.address': href.replace(/^unix:/, ''), 'network.transport': 'unix' };
  const attributes: Attributes = { 'server.address': address, 'url.scheme': scheme };
  const number = port ?? { ws: '80', wss: '443' }[scheme];
  if (number !== undefined) attributes['server.port'] = Number(number);
  if (path !== undefined) attributes['url.path'] = path;
  return attributes;
}

/** How a connection ended, and what it carried. */
export function closeAttributes({ initiator, cause, status, received, sent }: CloseReport): Attributes {
  return {
    'tidegate.close.initiator': initiator,
    'tidegate.close.cause': cause,
    'tidegate.close.code': status,
    'tidegate.received.messages': received.messages,
    'tidegate.received.bytes': received.bytes,
    'tidegate.sent.messages': sent.messages,
    'tidegate.sent.bytes': sent.bytes,
  };
}
