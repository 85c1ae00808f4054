/** Owns connecting a bare handle to an IP address. Refuses to resolve names, and to know what the connection is for. */

import { isIPv6 } from 'node:net';
import type { DialSignal } from '../dial/dial-signal.js';
import type { Handles, StreamHandle } from './handles.js';
import { systemError } from './system-error.js';
import type { Wire } from './wire.js';

/**
 * Connects by TCP, and makes a wire of the handle. Rejects with an error as `net.connect` gives it, or with the reason of the signal; the handle is closed then.
 */
export function connectHandle(
  handles: Handles,
  address: string,
  port: number,
  signal: DialSignal,
  wireOf: (handle: StreamHandle) => Wire,
): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const handle = handles.createTcp();
    const request = handles.createConnectRequest();
    const fail = (error: unknown): void => {
      signal.removeEventListener('abort', onAbort);
      handle.close(() => {});
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    request.oncomplete = (status) => {
      // Closing the handle completes its request too.
      if (signal.aborted) return;
      if (status < 0) {
        fail(systemError(status, 'connect', `${address}:${port}`));
        return;
      }
      signal.removeEventListener('abort', onAbort);
      resolve(wireOf(handle));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const failed = isIPv6(address)
      ? handle.connect6?.(request, address, port)
      : handle.connect?.(request, address, port);
    if (failed !== undefined && failed < 0) fail(systemError(failed, 'connect', `${address}:${port}`));
  });
}
