/**
 * Owns the view that receivers get of a client that speaks plain TCP: its addresses, and what TLS says. Refuses to invent a request:
 * everything that HTTP would tell is empty, so that whoever decides by path, origin or headers lets nobody in by mistake.
 */
import type { UpgradeRequest } from '../../receivers/upgrade-request.js';
import { WireRequest } from './wire-request.js';

const NONE: readonly never[] = [];
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

/** A client that asked for nothing. */
export class TcpRequest extends WireRequest implements UpgradeRequest {
  readonly transport = 'tcp';
  readonly method = '';
  readonly url = '';
  readonly path = '';
  readonly host = '';
  readonly headers = NO_HEADERS;
  readonly rawHeaders = NONE;
  readonly origin = undefined;
  readonly subprotocols = NONE;
  readonly extensions = NONE;
  readonly forwarded = undefined;

  get query(): URLSearchParams {
    return new URLSearchParams();
  }
}
