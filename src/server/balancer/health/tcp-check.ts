/** Owns the health check by a connection: TCP, with TLS where the backend speaks it, or a Unix domain socket. Refuses to say a word over it. */
import { type DialOptions, dialTarget } from '../../dial/dial-target.js';
import type { Target } from '../../dial/target.js';
import { cutWire } from './cut-wire.js';

/** Connects, and hangs up. A process that is stopped still passes: its system accepts for it. */
export async function checkByTcp(target: Target, dial: DialOptions): Promise<void> {
  await cutWire(await dialTarget(target, dial));
}
