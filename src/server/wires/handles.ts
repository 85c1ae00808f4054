/**
 * Owns what is used of Node.js beside its public API: the handles below `net.Socket`, their types as far as they are used, and
 * the checks that this Node.js has them as expected. Nothing else in the sources may touch them.
 */
import { type OnReadOpts, type Server, Socket } from 'node:net';
import { plainIpAddress } from '../../protocol/ip-address.js';
import type { SocketSettings, WireAddresses } from './wire.js';

/** A connected socket below `net.Socket`: TCP or a Unix domain socket. */
export interface StreamHandle {
  /** The file descriptor. */
  readonly fd: number;
  /** Bytes that were handed over and not taken by the operating system yet. */
  readonly writeQueueSize: number;
  /** Called for each read, with the number of bytes or a negative error code in `lastRead()`. */
  onread: (this: StreamHandle) => void;
  /** Makes it read into this memory; nobody else keeps it alive. */
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  shutdown(request: StreamRequest): number;
  close(closed: () => void): void;
  // TCP only.
  setNoDelay?(on: boolean): number;
  setKeepAlive?(on: boolean, seconds: number): number;
  getpeername?(address: Partial<HandleAddress>): number;
  getsockname?(address: Partial<HandleAddress>): number;
  connect?(request: StreamRequest, address: string, port: number): number;
  connect6?(request: StreamRequest, address: string, port: number): number;
}

/** What `getpeername` and `getsockname` fill in. */
export interface HandleAddress {
  readonly address: string;
  readonly port: number;
}

/** A connect or a shutdown on its way. */
export interface StreamRequest {
  oncomplete(status: number): void;
}

/** A write on its way. */
export interface WriteRequest extends StreamRequest {
  /** Keeps the bytes alive, which the operating system has a pointer to. */
  bytes?: Uint8Array;
}

/** A listening socket below `net.Server`. */
interface ListenHandle extends Pick<StreamHandle, 'setNoDelay' | 'setKeepAlive'> {
  onconnection(status: number, handle: StreamHandle | undefined): void;
}

/** The parts that the fast wires are made of. */
export interface Handles {
  createTcp(): StreamHandle;
  createConnectRequest(): StreamRequest;
  createWriteRequest(): WriteRequest;
  createShutdownRequest(): StreamRequest;
  /** Of the read whose `onread` runs: bytes, or a negative error code. */
  lastRead(): number;
  /** Whether the last write could not be finished at once, so that its request will complete later. */
  lastWriteWasAsync(): boolean;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => StreamRequest;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
  readonly streamBaseState: Int32Array;
}

interface TcpBinding {
  readonly TCP: { new (type: number): StreamHandle; readonly prototype: StreamHandle };
  readonly TCPConnectWrap: new () => StreamRequest;
  readonly constants: { readonly SOCKET: number };
}

/** The parts, or why this Node.js or this system does not have them. */
export function findHandles(): Handles | { readonly missing: string } {
  if (process.platform === 'win32') return { missing: 'sockets have no file descriptor on Windows' };
  try {
    return assemble(binding('stream_wrap') as StreamBinding, binding('tcp_wrap') as TcpBinding);
  } catch (error) {
    return { missing: `Node.js ${process.version} keeps its socket handles to itself (${String(error)})` };
  }
}

/** Takes the handle out of a connected socket, which is of no use afterwards; undefined when it has none of ours. */
export function takeHandle(socket: Socket): StreamHandle | undefined {
  const owner = socket as unknown as { _handle: StreamHandle | null };
  const handle = owner._handle;
  if (handle === null || typeof handle.useUserBuffer !== 'function' || !(handle.fd >= 0)) return undefined;
  handle.readStop();
  owner._handle = null;
  // The handle would keep the whole socket alive, by a symbol that nobody is given.
  for (const symbol of Object.getOwnPropertySymbols(handle)) {
    if (symbol.description === 'owner_symbol') Object.assign(handle, { [symbol]: undefined });
  }
  return handle;
}

/**
 * Gives every connection that a server accepts to `accept`, as a bare handle, in place of its `connection` event. Where this
 * Node.js does not allow it, the event comes as ever.
 */
export function interceptConnections(
  server: Server,
  settings: SocketSettings,
  accept: (handle: StreamHandle) => void,
): void {
  const { _handle } = server as unknown as { _handle: ListenHandle | null | undefined };
  const own = _handle?.onconnection;
  if (_handle === null || _handle === undefined || typeof own !== 'function') return;
  // Accepted sockets inherit these, which saves five system calls for each. In a worker of node:cluster the listening socket is
  // another process's, and what stands for it has no options.
  const inherited = _handle.setNoDelay !== undefined && process.platform !== 'win32';
  if (inherited) setOptions(_handle, settings);
  _handle.onconnection = (status, handle) => {
    // Without a handle the accept failed, for want of file descriptors for example: the server tells that as its error.
    if (typeof handle?.useUserBuffer !== 'function') {
      own.call(_handle, status, handle);
      return;
    }
    if (!inherited) setOptions(handle, settings);
    accept(handle);
  };
}

/** A socket of Node.js on a handle, with options that `net.Server` does not pass on. It is not read yet. */
export function socketOn(handle: StreamHandle, onread: OnReadOpts): Socket {
  const options = { handle, onread, allowHalfOpen: true, manualStart: true };
  return new Socket(options);
}

/** A socket of Node.js on a handle that was one of ours: from now on its stream reads, and not our buffer. It is not read yet. */
export function streamOn(handle: StreamHandle, unread: readonly Buffer[]): Socket {
  const options = { handle, allowHalfOpen: true, manualStart: true };
  const socket = new Socket(options);
  for (const bytes of [...unread].reverse()) socket.unshift(bytes);
  return socket;
}

/**
 * Makes a socket that nobody has read yet read as if it had been made with that `onread`. Answers false where this Node.js does
 * not allow it; then nothing has changed.
 */
export function tapSocket(socket: Socket, onread: OnReadOpts): boolean {
  const own = Object.getOwnPropertySymbols(socket);
  const [buffer, callback] = ['kBuffer', 'kBufferCb'].map((name) =>
    own.find(({ description }) => description === name),
  );
  const { _handle } = socket as unknown as { _handle: Partial<StreamHandle> | null };
  if (buffer === undefined || callback === undefined || typeof _handle?.useUserBuffer !== 'function') return false;
  Object.assign(socket, { [buffer]: onread.buffer, [callback]: onread.callback });
  _handle.useUserBuffer(onread.buffer as Uint8Array);
  return true;
}

/** Sends small writes at once, and finds out about dead peers. */
export function setOptions(
  handle: Pick<StreamHandle, 'setNoDelay' | 'setKeepAlive'>,
  { keepAlive, noDelay }: Pick<SocketSettings, 'keepAlive' | 'noDelay'>,
): void {
  handle.setNoDelay?.(noDelay !== false);
  if (keepAlive > 0) handle.setKeepAlive?.(true, Math.ceil(keepAlive / 1000));
}

/** Asks the system for the two ends of a connected socket. */
export function addressesOf(handle: StreamHandle): WireAddresses {
  const peer: Partial<HandleAddress> = {};
  const own: Partial<HandleAddress> = {};
  handle.getpeername?.(peer);
  handle.getsockname?.(own);
  return {
    remoteAddress: plainIpAddress(peer.address),
    remotePort: peer.port ?? 0,
    localAddress: plainIpAddress(own.address),
    localPort: own.port ?? 0,
  };
}

function binding(name: string): unknown {
  return (process as unknown as { binding(name: string): unknown }).binding(name);
}

function assemble(stream: StreamBinding, tcp: TcpBinding): Handles {
  const { streamBaseState: state, kReadBytesOrError, kLastWriteWasAsync, WriteWrap, ShutdownWrap } = stream;
  const { TCP, TCPConnectWrap, constants } = tcp;
  const expected: Record<string, boolean> = {
    streamBaseState: state instanceof Int32Array,
    kReadBytesOrError: Number.isInteger(kReadBytesOrError),
    kLastWriteWasAsync: Number.isInteger(kLastWriteWasAsync),
    WriteWrap: typeof WriteWrap === 'function',
    ShutdownWrap: typeof ShutdownWrap === 'function',
    TCPConnectWrap: typeof TCPConnectWrap === 'function',
    SOCKET: Number.isInteger(constants.SOCKET),
  };
  for (const name of METHODS) expected[name] = name in TCP.prototype;
  const missing = Object.keys(expected).filter((name) => !expected[name]);
  if (missing.length > 0) throw new Error(`without ${missing.join(', ')}`);
  return {
    createTcp: () => new TCP(constants.SOCKET),
    createConnectRequest: () => new TCPConnectWrap(),
    createWriteRequest: () => new WriteWrap(),
    createShutdownRequest: () => new ShutdownWrap(),
    lastRead: () => state[kReadBytesOrError]!,
    lastWriteWasAsync: () => state[kLastWriteWasAsync] !== 0,
  };
}

const METHODS = [
  'onread',
  'fd',
  'writeQueueSize',
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeBuffer',
  'shutdown',
  'close',
  'connect',
  'connect6',
  'setNoDelay',
  'setKeepAlive',
  'getpeername',
  'getsockname',
];
