/** Owns the header fields that a plain request goes out with, beside those that its hook changed. Refuses to send them. */
import type { IncomingMessage } from 'node:http';
import { plainRequestHeaders } from '../../protocol/forward-headers.js';
import { withForwardedFields } from '../../protocol/forwarded-fields.js';
import { headerTokens } from '../../protocol/header-fields.js';
import { framingOf, originForm } from '../../protocol/plain-request.js';
import type { BalancerConfig } from '../config/balancer/options.js';
import { forwardingOf } from '../dial/on-behalf.js';
import { authorityOf, type WebSocketTarget } from '../dial/target.js';
import type { ParsedUpgradeRequest } from '../handshake/upgrade-request.js';
import { RequestPlan } from './http-plan.js';

/** What is done for a request unless a hook wants something else. @param rawHeaders those of the request that may go on. */
export function planFor(
  request: ParsedUpgradeRequest,
  rawHeaders: readonly string[],
  { hostHeader, forwardedHeaders }: Pick<BalancerConfig, 'hostHeader' | 'forwardedHeaders'>,
): RequestPlan {
  const passed = plainRequestHeaders(rawHeaders);
  // Behind the choice of what crosses: a client could name the fields that tell of it in its Connection.
  const headers = withForwardedFields(passed, forwardingOf(request, forwardedHeaders));
  if (hostHeader === 'client' && request.host !== '') headers.unshift('Host', request.host);
  return new RequestPlan(originForm(request.url), headers);
}

/** Methods that a body is expected with: without one they say so (RFC 9110 section 8.6). */
const WITH_BODY = ['POST', 'PUT', 'PATCH'];

/** The fields of a request to this target, those that frame it among them. The framing is as it came. */
export function headersFor(incoming: IncomingMessage, plan: RequestPlan, target: WebSocketTarget): string[] {
  const { rawHeaders, method = '' } = incoming;
  const headers = ['Host', plan.headers.get('host') ?? authorityOf(target), ...plainRequestHeaders(plan.headers.raw)];
  const framing = framingOf(rawHeaders);
  if (framing === 'chunked') headers.push('Transfer-Encoding', 'chunked');
  else if (framing !== 'none' || WITH_BODY.includes(method)) {
    headers.push('Content-Length', String(framing === 'none' ? 0 : framing));
  }
  if (incoming.headers.expect !== undefined && framing !== 'none') headers.push('Expect', '100-continue');
  // Whoever takes trailers from us may give some to the client, too.
  if (headerTokens(rawHeaders, 'te').includes('trailers')) {
    headers.push('TE', 'trailers', 'Connection', 'keep-alive, TE');
  }
  return headers;
}
