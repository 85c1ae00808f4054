/**
 * Owns what any receiver has to bear and may not do, whatever it is for: a suite of cases that a test framework runs. Refuses to know what
 * a receiver is for.
 */
import { isDeepStrictEqual } from 'node:util';
import { DROP, type LifecycleReceiver, type UpgradeRequest } from '../../receivers/index.js';
import type { Received } from '../memory-end.js';
import type { CallbackName } from '../recording-receiver.js';
import { settled } from '../simulated-clock.js';
import type { ConformanceCase, RegisterTest } from './conformance-case.js';
import { Trial, type TrialOptions, wrong } from './trial.js';

/** How receivers are tried. */
export interface ReceiverConformanceOptions extends TrialOptions {
  /** Messages as the clients of this receiver send them. Default: some texts and bytes. */
  readonly messages?: ReadonlyArray<string | Uint8Array> | undefined;
  /** Names of cases that do not fit this receiver. */
  readonly skip?: readonly string[] | undefined;
}

type Make = (request: UpgradeRequest) => LifecycleReceiver;

const MESSAGES: ReadonlyArray<string | Uint8Array> = ['one', 'two', Buffer.from('three'), '{"four":4}', 'five'];

/** What a client may send that keeps to the protocol and nothing else. */
const HOSTILE: ReadonlyArray<string | Uint8Array> = [
  '',
  Buffer.alloc(0),
  '\0',
  '\u{10ffff}\u202e',
  '{',
  'null',
  '{"__proto__":{"polluted":true}}',
  '[[[[[[[[[[',
  '-1e999',
  '<script>alert(1)</script>',
  "'; DROP TABLE users; --",
  '../../../etc/passwd',
  'x'.repeat(512 * 1024),
  Buffer.alloc(512 * 1024, 0xff),
];

/** Lists the cases for a receiver. Each makes receivers of its own. */
export function receiverCases(receiver: Make, options: ReceiverConformanceOptions = {}): ConformanceCase[] {
  const { messages = MESSAGES, skip = [] } = options;
  const live = (then: (trial: Trial) => Promise<void>, server?: TrialOptions['server']) =>
    Trial.of(receiver, { ...options, server: { ...server, ...options.server } }, then);
  const open = (then: (trial: Trial) => Promise<void>, server?: TrialOptions['server']) =>
    live(async (trial) => {
      await trial.open();
      await then(trial);
    }, server);
  const cases: Readonly<Record<string, () => Promise<void>>> = {
    'answers the handshake in time, with what may be answered': async () => {
      await open(async (trial) => trial.assertContained());
    },
    'is opened once and closed once, and calls none of its callbacks itself': async () => {
      await open(async (trial) => {
        await talk(trial, messages);
        trial.client.close(1000, 'bye');
        await trial.within(() => trial.client.gone, 'the connection was not closed');
        await trial.quiet();
        const closed = trial.sight.calls.filter(({ callback }) => callback === 'onClosed');
        if (closed.length !== 1) throw wrong(`onClosed was called ${closed.length} times`);
      });
    },
    'throws for no message, whatever it holds': async () => {
      for (const message of HOSTILE) {
        await open(async (trial) => {
          await talk(trial, [message]);
          trial.assertContained();
        });
      }
    },
    'bears a client that breaks the protocol': async () => {
      const violations = [
        { opcode: 1, payload: Buffer.from([0xc3, 0x28]) },
        { opcode: 3 },
        { opcode: 9, payload: Buffer.alloc(126) },
        { opcode: 2, masked: false },
      ];
      for (const violation of violations) {
        await open(async (trial) => {
          const before = trial.sight.calls.length;
          trial.client.sendFrame(violation);
          await trial.within(() => trial.client.gone, 'the connection was not closed');
          await trial.quiet();
          trial.assertContained();
          const { callback } = trial.sight.calls[before] ?? { callback: 'nothing' };
          if (callback !== 'onClosed') throw wrong(`a frame that is none was followed by ${callback}`);
        });
      }
    },
    'answers messages with what may be answered': async () => {
      await open(async (trial) => {
        await talk(trial, messages);
        for (const { callback, returned } of trial.sight.calls) {
          if (!/Text$|Binary$/.test(callback) || isReply(returned)) continue;
          throw wrong(`${callback} returned ${String(returned)}; it takes nothing, a string, a Uint8Array or DROP`);
        }
      });
    },
    'comes to an end with every callback': async () => {
      await open(async (trial) => {
        for (const message of messages) trial.client.send(message);
        await trial.quiet();
      });
    },
    'says the same whether messages come one by one or all at once': async () => {
      let slowly: Received[] = [];
      let atOnce: Received[] = [];
      await open(async (trial) => {
        await talk(trial, messages);
        slowly = [...trial.client.received];
      });
      await open(async (trial) => {
        for (const message of messages) trial.client.send(message);
        await trial.within(() => trial.client.received.length >= slowly.length, 'less was said when all came at once');
        await trial.quiet();
        atOnce = [...trial.client.received];
      });
      if (isDeepStrictEqual(slowly, atOnce)) return;
      throw wrong(`one by one it said ${shown(slowly)}, and all at once ${shown(atOnce)}`);
    },
    'slows down for a client that does not read, before messages are dropped': async () => {
      const limits = { maxQueuedBytes: 64 * 1024, highWaterMark: 8 * 1024, lowWaterMark: 1024 };
      const flood = async (trial: Trial) => {
        trial.client.pauseReading();
        const large = messages.filter((message) => message.length > 0);
        for (let round = 0; round < 2000 && large.length > 0; round += 1) {
          trial.client.send(large[round % large.length] ?? 'x');
          // Time for it to be told, and to be slow.
          if (round % 16 === 0) await trial.clock.advance(25);
          if (trial.client.gone || trial.client.unreadBytes > 1024) break;
        }
        const dropped = trial.sight.sends.filter((result) => result === 'dropped').length;
        if (dropped > 0) throw wrong(`send answered 'dropped' ${dropped} times: it did not slow down at 'queued'`);
      };
      await open(flood, { window: 1024, limits: { ...limits, maxQueuedBytes: 16 * 1024 } });
    },
    'bears a client that is gone at any moment': async () => {
      const departures: ReadonlyArray<(trial: Trial) => Promise<void>> = [
        async ({ client }) => client.reset(),
        async ({ client }) => client.end(),
        async (trial) => {
          await trial.open();
          trial.client.reset();
        },
        async (trial) => {
          await trial.open();
          for (const message of messages) trial.client.send(message);
          trial.client.reset();
        },
        async (trial) => {
          await trial.open();
          trial.client.vanish();
          await trial.clock.advance('3m');
        },
      ];
      for (const depart of departures) {
        await live(async (trial) => {
          await depart(trial);
          await trial.quiet();
          trial.assertContained();
          if (trial.server.connectionOf(trial.client)?.state === 'open') throw wrong('the connection is still open');
        });
      }
    },
    'bears that its connection ends inside of any callback': async () => {
      const names: readonly CallbackName[] = ['onOpen', 'onText', 'onBinary', 'onThrottled', 'onUnthrottled'];
      for (const name of names) {
        for (const how of ['close', 'terminate'] as const) {
          await live(async (trial) => {
            trial.sight.meddle = (call, connection) => {
              if (call.callback === name) connection[how]();
            };
            await trial.within(() => trial.client.answer !== undefined, 'the handshake was not answered');
            trial.client.pauseReading();
            for (const message of messages) trial.client.send(message);
            await trial.quiet();
            trial.client.resumeReading();
            await trial.quiet();
            trial.assertContained();
          });
        }
      }
    },
    'sends nothing any more once it is closed': async () => {
      await open(async (trial) => {
        await talk(trial, messages);
        trial.client.reset();
        await trial.within(() => trial.client.gone, 'the connection was not closed');
        const isClosed = () => trial.sight.calls.findIndex(({ callback }) => callback === 'onClosed');
        await trial.within(() => isClosed() !== -1, 'onClosed was not called');
        const before = trial.sight.sends.length;
        await trial.quiet();
        const inClosed = trial.sight.sends.slice(before).length + sentIn(trial, 'onClosed');
        if (inClosed > 0) throw wrong('it sent after the end, where nothing can be sent any more');
      });
    },
    'keeps no timer once it is closed': async () => {
      const trial = await open(async (opened) => {
        await talk(opened, messages);
        opened.client.close(1000);
        await opened.within(() => opened.client.gone, 'the connection was not closed');
        await opened.quiet();
        // Timers that are over are let go of a turn later.
        await settled();
        if (opened.sight.timers > 0) throw wrong(`${opened.sight.timers} timers that it set are still running`);
      });
      trial.assertContained();
    },
    'leaves no rejection unhandled': async () => {
      await open(async (trial) => {
        await talk(trial, messages);
        trial.client.close(1000);
        await trial.within(() => trial.client.gone, 'the connection was not closed');
        await trial.quiet();
        await settled();
        const [rejection] = trial.rejections;
        if (rejection !== undefined)
          throw wrong(`a promise was rejected, and nobody waited for it: ${String(rejection)}`);
      });
    },
  };
  return Object.entries(cases)
    .filter(([name]) => !skip.includes(name))
    .map(([name, run]) => ({ name, run }));
}

/** Registers every case as a test. */
export function receiverConformance(
  receiver: Make,
  { test, ...options }: ReceiverConformanceOptions & { readonly test: RegisterTest },
): void {
  for (const { name, run } of receiverCases(receiver, options)) test(name, run);
}

async function talk(trial: Trial, messages: ReadonlyArray<string | Uint8Array>): Promise<void> {
  for (const message of messages) {
    if (trial.client.gone) return;
    trial.client.send(message);
    await trial.quiet();
  }
}

/** How often `send` was called inside of this callback: it answers `closed` there. */
function sentIn({ sight }: Trial, name: CallbackName): number {
  return sight.sentIn.filter((callback) => callback === name).length;
}

function isReply(returned: unknown): boolean {
  return returned === undefined || returned === DROP || typeof returned === 'string' || returned instanceof Uint8Array;
}

function shown(received: readonly Received[]): string {
  const text = JSON.stringify(received.map((one) => ('text' in one ? one.text : one.kind)));
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
