/** Owns how a listening address is written, and what is said when it cannot be had. Refuses to listen. */
import { type AddressInfo, isIPv6 } from 'node:net';
import { describeError, TidegateError } from '../../receivers/errors.js';
import type { ListenConfig } from '../config/listen.js';

/** Where a listener is bound. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
  /** A URL by which this machine reaches it, such as `ws://127.0.0.1:8080`. */
  readonly url: string;
}

/** Describes a bound address. One that stands for every interface is reached as `localhost`. */
export function boundAddress({ address, port }: AddressInfo, secure: boolean): BoundAddress {
  const name = address === '::' || address === '0.0.0.0' ? 'localhost' : address;
  return { host: address, port, url: `${secure ? 'wss' : 'ws'}://${hostAndPort(name, port)}` };
}

/** Where to listen to be found where one was: the ports that were bound, in place of those that were any. */
export function listenAgain(listen: readonly ListenConfig[], bound: readonly BoundAddress[]): ListenConfig[] {
  return listen.map((wanted, index) => ({ ...wanted, port: bound[index]?.port ?? wanted.port }));
}

/** Makes one of our errors of what `listen` failed with. */
export function listenError(error: unknown, host: string | undefined, port: number): TidegateError {
  const where = host === undefined ? `port ${port}` : hostAndPort(host, port);
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return new TidegateError('ADDRESS_IN_USE', `cannot listen on ${where}: it is in use`, { cause: error });
  }
  return new TidegateError('LISTEN_FAILED', `cannot listen on ${where}: ${describeError(error)}`, { cause: error });
}

function hostAndPort(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
