/**
 * Owns the choice of the socket layer: wires on streams of Node.js, or on the handles below them where this Node.js allows it.
 * Refuses to know what the wires carry.
 */

import type { Server, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { TidegateError } from '../../receivers/errors.js';
import type { DialSignal } from '../dial/dial-signal.js';
import { connectHandle } from './connect-handle.js';
import { HandleWire } from './handle-wire.js';
import { findHandles, interceptConnections, setOptions, socketOn, takeHandle, tapSocket } from './handles.js';
import { SocketTap } from './socket-tap.js';
import { SocketWire } from './socket-wire.js';
import type { AcceptedWire, SocketSettings, Wire } from './wire.js';

/** Which layer is asked for; `auto` takes the fast one where there is one. */
export type IoChoice = 'auto' | 'portable' | 'fast';

/** Told about each wire of a server. */
export interface WireObserver {
  opened(wire: AcceptedWire): void;
  /** The wire is closed. Called after its reader. */
  gone(wire: AcceptedWire): void;
}

/** How sockets become wires. */
export interface WireLayer {
  readonly kind: 'portable' | 'fast';
  /** Takes every connection of a listening server without TLS. */
  accept(server: Server, settings: SocketSettings, observer: WireObserver): void;
  /** What a socket without TLS that is to be a wire of this layer should be made with. */
  tap(): SocketTap | undefined;
  /** Makes a wire of a connected, paused socket, which is not to be used any more, and of the tap that it was made with. */
  wireOf(socket: Socket, settings: SocketSettings, tap?: SocketTap): Wire;
  /** Connects to an IP address, where the layer has a shorter way than `net.connect`. Throws the reason of the signal. */
  connect?(address: string, port: number, settings: SocketSettings, signal: DialSignal): Promise<Wire>;
}

const portableLayer: WireLayer = {
  kind: 'portable',
  accept: (server, settings, { opened, gone }) => {
    const { highWaterMark } = settings;
    interceptConnections(server, settings, (handle) => {
      const tap = new SocketTap();
      const socket = socketOn(handle, tap.onread);
      opened(new SocketWire(socket, highWaterMark, gone, tap));
    });
    server.on('connection', (socket: Socket) => opened(new SocketWire(socket, highWaterMark, gone)));
  },
  tap: () => new SocketTap(),
  wireOf: (socket, { highWaterMark }, tap) => new SocketWire(socket, highWaterMark, undefined, tap),
};

/** Makes a wire of a TLS socket whose handshake is done, which is on streams with either layer. */
export function secureWire(
  socket: TLSSocket,
  { highWaterMark }: SocketSettings,
  gone?: WireObserver['gone'],
): AcceptedWire {
  const tap = new SocketTap();
  const early: Buffer | null = socket.read();
  const wire = new SocketWire(socket, highWaterMark, gone, tapSocket(socket, tap.onread) ? tap : undefined);
  if (early !== null) wire.unread(early);
  return wire;
}

/** What `fast` came to: found out once, and only when somebody asks for it. */
let found: WireLayer | { readonly missing: string } | undefined;

/**
 * Chooses the layer. Without a choice of its own, `auto`, the environment variable `TIDEGATE_IO` decides.
 *
 * @throws TidegateError `IO_UNAVAILABLE` when the fast layer is asked for by name and this Node.js cannot have it.
 */
export function chooseLayer(choice: IoChoice): WireLayer {
  const wanted = choice === 'auto' ? process.env.TIDEGATE_IO : choice;
  if (wanted === 'portable') return portableLayer;
  found ??= createFastLayer();
  if (!('missing' in found)) return found;
  if (wanted !== 'fast') return portableLayer;
  throw new TidegateError('IO_UNAVAILABLE', `io: fast cannot be had here: ${found.missing}; use auto or portable`);
}

function createFastLayer(): WireLayer | { readonly missing: string } {
  const handles = findHandles();
  if ('missing' in handles) return handles;
  return {
    kind: 'fast',
    accept: (server, settings, { opened, gone }) => {
      interceptConnections(server, settings, (handle) => opened(new HandleWire(handles, handle, gone)));
    },
    tap: () => undefined,
    wireOf: (socket, { highWaterMark }, tap) => {
      // The handle of a TLS socket has a file descriptor too: that of the ciphertext.
      const handle = socket instanceof TLSSocket ? undefined : takeHandle(socket);
      if (handle === undefined) return new SocketWire(socket, highWaterMark, undefined, tap);
      const wire = new HandleWire(handles, handle);
      const early: Buffer | null = socket.read();
      if (early !== null) wire.unread(early);
      return wire;
    },
    connect: (address, port, settings, signal) =>
      connectHandle(handles, address, port, signal, (handle) => {
        setOptions(handle, settings);
        return new HandleWire(handles, handle);
      }),
  };
}
