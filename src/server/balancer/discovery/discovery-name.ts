/** Owns how a name that stands for backends is written: `ws://app.internal:9000/path` or `srv+ws://_ws._tcp.app.internal/path`. Refuses to resolve it. */
import { describeError } from '../../../receivers/errors.js';
import { parseTarget } from '../../dial/target.js';

/** A name that stands for backends. */
export interface DiscoveryName {
  /** As it was given. */
  readonly text: string;
  /** By its addresses (A and AAAA), or by its services (SRV). */
  readonly by: 'address' | 'service';
  readonly scheme: 'ws' | 'wss' | 'tcp' | 'tls';
  readonly host: string;
  /** 0 for services, whose records have it. */
  readonly port: number;
  /** Path and query for WebSocket backends, or empty. */
  readonly path: string;
}

/** What a name may be, for messages. */
export const DISCOVERY_NAME_FORMS =
  "an address with a name, such as ws://app.internal:9000/path or tcp://db.internal:5900, or 'srv+' before one without a port, such as srv+ws://_ws._tcp.app.internal/path";

/** Reads a name. Answers what is wrong with it otherwise. */
export function parseDiscoveryName(text: string): DiscoveryName | { readonly fault: string } {
  const [, service, url = ''] = /^(srv\+)?(.*)$/is.exec(text) ?? [];
  const hasPort = /^[a-z]+:\/\/[^/?#]*:\d*(?:[/?#]|$)/i.test(url);
  if (service !== undefined && hasPort) return { fault: 'a service has its port in its records; leave it out' };
  try {
    // Without a port there is no target; those of the records take its place.
    const target = parseTarget(service === undefined ? url : url.replace(/^[a-z]+:\/\/[^/?#]*/i, '$&:1'));
    if (target.kind === 'unix') return { fault: 'a socket file has no name to resolve; put it into `backends`' };
    if (target.family !== 0) return { fault: 'it is an address already; put it into `backends`' };
    const scheme = target.kind === 'websocket' ? (target.secure ? 'wss' : 'ws') : target.secure ? 'tls' : 'tcp';
    return {
      text,
      by: service === undefined ? 'address' : 'service',
      scheme,
      host: target.host,
      port: service === undefined ? target.port : 0,
      path: target.kind === 'websocket' ? target.path : '',
    };
  } catch (error) {
    return { fault: describeError(error) };
  }
}
