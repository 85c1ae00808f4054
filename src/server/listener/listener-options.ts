/** Owns what a listener is told when it is made, and what it tells. Refuses to do any of it. */
import type { RequestHead } from '../../protocol/http-head.js';
import type { ErrorCode, TidegateError } from '../../receivers/errors.js';
import type { Pass } from '../admission/pass.js';
import type { Denial, Peer } from '../admission/policy.js';
import type { ListenerRole } from '../config/listen.js';
import type { TlsListening } from '../tls/tls-listening.js';
import type { AcceptedWire } from '../wires/wire.js';
import type { WireLayer } from '../wires/wire-layer.js';
import type { FirstBytesHooks } from './unknown-protocol.js';

/** What a connection was refused for before it became a valid request. */
export interface ListenerRefusal {
  readonly error: ErrorCode;
  /** The status that was sent, or would have been if the client had said anything in HTTP. */
  readonly status: number;
  readonly message: string;
  readonly remoteAddress?: string;
  /** Known where the connection was open. */
  readonly remotePort?: number | undefined;
  /** It had sent nothing, as browsers do that connect ahead of need. */
  readonly isSilent?: boolean;
}

/** What clients are taken for: WebSocket clients, plain TCP clients, or the one that their first bytes say. */
export type ListenerProtocol = 'websocket' | 'tcp' | 'any';

/** Whether connections begin with a PROXY protocol header. */
export type ProxyProtocolMode = 'off' | 'required' | 'optional';

/** How to listen, and whom to tell. */
export interface ListenerOptions extends FirstBytesHooks {
  /** Default: every interface. */
  readonly host?: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Listens with TLS. */
  readonly tls?: TlsListening | undefined;
  /** With `tls`: also takes clients that speak none, on the same port. */
  readonly plain?: boolean | undefined;
  /** Default `websocket`. */
  readonly protocol?: ListenerProtocol | undefined;
  /** Default `off`. */
  readonly proxyProtocol?: ProxyProtocolMode | undefined;
  readonly backlog?: number | undefined;
  readonly exclusive?: boolean | undefined;
  readonly reusePort?: boolean | undefined;
  readonly ipv6Only?: boolean | undefined;
  /** Whether small writes leave at once. Default: true. */
  readonly noDelay?: boolean | undefined;
  /** What connects here. Default: `client`. */
  readonly role?: ListenerRole | undefined;
  /** How many connections may be waiting for their request; one more cuts the oldest. Default: 0, any number. */
  readonly maxPendingHandshakes?: number | undefined;
  /** Milliseconds from the accepted connection to the end of the request head, everything before it included; 0 for no deadline. */
  readonly handshakeTimeout: number;
  /** The largest request line and headers, in bytes. */
  readonly maxHandshakeBytes: number;
  /** The most header fields. */
  readonly maxHeaderCount: number;
  /** Bytes a plain socket holds in each direction before it says that it is full. Node keeps its default with TLS. */
  readonly highWaterMark: number;
  /** Milliseconds of silence before TCP keep-alive probes; 0 sends none. */
  readonly keepAlive: number;
  /** How connections become wires; with TLS they are always sockets of Node.js. */
  readonly layer: WireLayer;
  /** Decides about each accepted connection, before anything of it is read. Default: all are let in. */
  arrive?(peer: Peer, role: ListenerRole): Pass | undefined;
  /** Whether the server itself connected, to see whether anybody answers. Default: nobody does. */
  isProbe?(peer: Peer): boolean;
  /**
   * Called for each connection of whose client a PROXY protocol header told, before anything else is read of it. A denial cuts it, and
   * is counted already.
   */
  become?(pass: Pass, peer: Peer): Denial | undefined;
  /**
   * Called once for each request. The wire is not read, and from here on the callee's; it holds every byte after the head.
   * `waited` milliseconds its head took from the first byte on. Must not throw.
   */
  onRequest(head: RequestHead, wire: AcceptedWire, waited: number): void;
  /**
   * Called once for each client that speaks plain TCP. The wire is not read, and from here on the callee's; it holds every byte. Must
   * not throw.
   *
   * @param target where `onUnknownProtocol` wants it to go.
   */
  onBytes(wire: AcceptedWire, target: string | undefined): void;
  /** Called once for each connection that was refused here; its answer, if there is one, is on its way. Must not throw. */
  onRefused(info: ListenerRefusal): void;
  /**
   * Called once when the listening socket is of no use any more and nobody closed it; what is connected lives on. With `shortage`
   * it was given up because the process has no room for a connection, so that to open it again at once is of no use. Must not throw.
   */
  onLost(error: TidegateError, shortage: boolean): void;
  /** A hook threw. Must not throw. */
  onException?(error: unknown): void;
}
