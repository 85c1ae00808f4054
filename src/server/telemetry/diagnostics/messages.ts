/** Owns the names of the diagnostics channels and the shapes of what is published on them. Refuses to publish. */
import type { BackendHealth, BackendInfo } from '../../../actors/backend.js';
import type { CloseReport, Connection, ErrorCode } from '../../../receivers/index.js';
import type { RejectedUpgrade } from '../../events.js';

interface FromServer {
  /** The server that it happened on: one of `ProxyServer`, `ReceiverServer` and `LoadBalancer`. */
  readonly server: object;
}

interface OfConnection extends FromServer {
  readonly connection: Connection;
}

interface OfBackend extends FromServer {
  readonly backend: BackendInfo;
}

interface OfDial extends OfConnection {
  /** Such as `ws://127.0.0.1:9000`; undefined while a balancer has not chosen. */
  readonly target: string | undefined;
}

/** What is published, by the name of its channel. */
export interface DiagnosticsMessages {
  /** A handshake was answered with 101; before `onOpen`. */
  'tidegate:connection:open': OfConnection;
  /** A connection is over; right after its `onClosed`. */
  'tidegate:connection:close': OfConnection & { readonly report: CloseReport };
  /** A side does not take what is sent to it: it is throttled from now on. */
  'tidegate:connection:throttled': OfConnection & { readonly side: 'downstream' | 'upstream' };
  /** It is not throttled any more. A connection that ends while it is throttled tells so only by its end. */
  'tidegate:connection:unthrottled': OfConnection & { readonly side: 'downstream' | 'upstream' };
  /** A connection was turned away at its accept, or its handshake was refused. */
  'tidegate:handshake:refused': FromServer & { readonly refusal: RejectedUpgrade };
  /** A target is about to be dialled, or waits for its turn. */
  'tidegate:upstream:dial:start': OfDial;
  /** It is connected. */
  'tidegate:upstream:dial:end': OfDial & { readonly durationMs: number };
  /** It could not be connected, or nobody wanted it any more. */
  'tidegate:upstream:dial:error': OfDial & {
    readonly durationMs: number;
    readonly error: ErrorCode;
    readonly message: string;
  };
  /** A backend of a balancer may be picked from now on. */
  'tidegate:backend:ready': OfBackend;
  /** It is picked no more. */
  'tidegate:backend:draining': OfBackend;
  /** Its control channel ended or fell silent. */
  'tidegate:backend:lost': OfBackend & { readonly code: number };
  /** Whether it is well is judged otherwise than before. */
  'tidegate:backend:health': OfBackend & { readonly health: BackendHealth };
  /** It is no backend any more, and nobody is on it. */
  'tidegate:backend:gone': OfBackend;
}

/** The name of a channel. */
export type DiagnosticsChannel = keyof DiagnosticsMessages;
