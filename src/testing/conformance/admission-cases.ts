/**
 * Owns what any admission policy has to bear and may not do, whomever it keeps out: a suite of cases that a test framework runs. Refuses to
 * know whom.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Connection, ConnectionReceiver, ERRORS } from '../../receivers/index.js';
import type { AdmissionPolicy, Denial, Peer } from '../../server/admission/policy.js';
import { openInMemory } from '../open-in-memory.js';
import type { ConformanceCase, RegisterTest } from './conformance-case.js';
import { wrong } from './trial.js';

/** How policies are tried. */
export interface AdmissionConformanceOptions {
  /**
   * How much more memory a policy may hold after 50 000 addresses have come and gone, in bytes. Default: 2 MiB, which is less than what a
   * note about each of them takes.
   */
  readonly maxHeldBytes?: number | undefined;
  /** Called before that is measured: a place to let its time pass, if it forgets by time. */
  readonly forget?: ((policy: AdmissionPolicy) => void | Promise<void>) | undefined;
  /** Names of cases that do not fit this policy. */
  readonly skip?: readonly string[] | undefined;
}

/** What may stand for a client: every family, Unix domain sockets, and what nobody should send. */
const ADDRESSES: readonly string[] = [
  '192.0.2.1',
  '0.0.0.0',
  '255.255.255.255',
  '::',
  '::1',
  '2001:db8::1',
  '::ffff:192.0.2.1',
  'fe80::1%eth0',
  '',
  'unknown',
  '_hidden',
  '999.999.999.999',
  '__proto__',
  'x'.repeat(10_000),
];

/** Ways to write one address. */
const FORMS: ReadonlyArray<readonly string[]> = [
  ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1'],
  ['2001:db8::1', '2001:DB8::1', '2001:0db8:0:0:0:0:0:1', '2001:db8:0:0::0:1'],
];

const MANY = 50_000;

/** Lists the cases for a policy. Each makes policies of its own. */
export function admissionCases(
  policy: () => AdmissionPolicy,
  { maxHeldBytes = 2 * 1024 * 1024, forget, skip = [] }: AdmissionConformanceOptions = {},
): ConformanceCase[] {
  const cases: Readonly<Record<string, () => Promise<void>>> = {
    'throws for no address': async () => {
      const one = policy();
      for (const address of ADDRESSES) {
        const peer = peerAt(address);
        if (ask(one, peer) === undefined) guarded(`release(${shown(address)})`, () => one.release?.(peer));
      }
    },
    'answers at once, with nothing or a denial that can be carried out': async () => {
      const one = policy();
      // As often as it takes to come to a limit.
      for (const address of [...ADDRESSES, ...Array<string>(1000).fill('192.0.2.1')]) {
        assertDenial(ask(one, peerAt(address)), `connection(${shown(address)})`);
      }
    },
    'judges all forms of an address alike': async () => {
      for (const forms of FORMS) {
        const [plain = ''] = forms;
        const verdicts = verdictsOn(policy(), [plain]);
        for (const form of forms) {
          if (verdictsOn(policy(), [form]) !== verdicts) throw wrong(`${form} is judged in another way than ${plain}`);
        }
        // Written in another way each time, it is still one client.
        if (verdictsOn(policy(), forms) !== verdicts) throw wrong(`the forms of ${plain} are counted each for itself`);
      }
    },
    'gives back what a connection took': async () => {
      const one = policy();
      if (one.connection === undefined || one.release === undefined) return;
      const admitted: Peer[] = [];
      for (let at = 0; at < 1000; at += 1) {
        const peer = peerAt('192.0.2.1', at);
        if (ask(one, peer) === undefined) admitted.push(peer);
        else break;
      }
      if (admitted.length === 0 || admitted.length === 1000) return;
      for (const peer of admitted) one.release(peer);
      if (ask(one, peerAt('192.0.2.1', 2000)) === undefined) return;
      throw wrong(`after ${admitted.length} connections came and went it denies the next one`);
    },
    'holds a bounded memory, however many addresses come': async () => {
      const one = policy();
      // What its code takes is there before.
      visit(one, 0, 1000);
      const before = heldBytes();
      visit(one, 1000, MANY);
      await forget?.(one);
      const held = heldBytes() - before;
      // Not to be collected before it was measured.
      ask(one, peerAt('192.0.2.1'));
      if (held > maxHeldBytes) throw wrong(`it holds ${held} bytes more after ${MANY} addresses have come and gone`);
    },
    'throws for no message, and answers at once': async () => {
      const one = policy();
      if (one.message === undefined) return;
      await withConnection((connection) => {
        for (const bytes of [0, 1, 125, 65_536, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
          for (const kind of ['text', 'binary'] as const) {
            const what = `message({ kind: '${kind}', bytes: ${bytes} })`;
            assertDenial(
              guarded(what, () => one.message?.(connection, { kind, bytes })),
              what,
            );
          }
        }
      });
    },
  };
  return Object.entries(cases)
    .filter(([name]) => !skip.includes(name))
    .map(([name, run]) => ({ name, run }));
}

/** Registers every case as a test. */
export function admissionConformance(
  policy: () => AdmissionPolicy,
  { test, ...options }: AdmissionConformanceOptions & { readonly test: RegisterTest },
): void {
  for (const { name, run } of admissionCases(policy, options)) test(name, run);
}

function peerAt(remoteAddress: string, port = 0): Peer {
  return { remoteAddress, remotePort: 1024 + port, localAddress: '127.0.0.1', localPort: 80 };
}

function ask(policy: AdmissionPolicy, peer: Peer): Denial | undefined {
  return guarded(`connection(${shown(peer.remoteAddress)})`, () => policy.connection?.(peer));
}

/** What is answered to twenty connections in a row, in words. */
function verdictsOn(policy: AdmissionPolicy, forms: readonly string[]): string {
  const verdicts: string[] = [];
  for (let at = 0; at < 20; at += 1) {
    verdicts.push(ask(policy, peerAt(forms[at % forms.length] ?? '', at))?.error ?? 'admitted');
  }
  return verdicts.join(' ');
}

function visit(policy: AdmissionPolicy, from: number, to: number): void {
  for (let at = from; at < to; at += 1) {
    const peer = peerAt(`2001:db8:${(at >> 16).toString(16)}:${(at & 0xffff).toString(16)}::1`, at % 60_000);
    if (ask(policy, peer) === undefined) policy.release?.(peer);
  }
}

function assertDenial(denial: Denial | undefined, asked: string): void {
  if (denial === undefined) return;
  const { error, message, retryAfter } = denial;
  if (!(String(error) in ERRORS)) throw wrong(`${asked} answered the error ${String(error)}, which there is none of`);
  if (typeof message !== 'string' || message === '') throw wrong(`${asked} denied without a message`);
  if (retryAfter === undefined || (Number.isFinite(retryAfter) && retryAfter >= 0)) return;
  throw wrong(`${asked} answered retryAfter ${String(retryAfter)}; expected seconds`);
}

function guarded<Result>(what: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw wrong(`${what} threw ${String(error)}`);
  }
}

async function withConnection(use: (connection: Connection) => void): Promise<void> {
  const { connection, stop } = await openInMemory(() => new ConnectionReceiver());
  try {
    use(connection);
  } finally {
    await stop();
  }
}

/** What is in use once everything that can be collected is. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

function shown(address: string): string {
  return JSON.stringify(address.length > 60 ? `${address.slice(0, 60)}…` : address);
}
