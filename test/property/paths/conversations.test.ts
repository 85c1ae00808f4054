/** Owns what holds for every conversation on every data path, whoever sends, pauses, closes and breaks off, and when. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCloseCode } from '../../../src/index.js';
import { afterFirstClose, closeCodes, everySetup, type Setup, Stage } from '../../promises/setups.js';
import { expectQuiet, holdings } from '../../support/descriptors.js';
import { type FramePeer, Opcode } from '../../support/raw-client.js';
import { converse, type Outcome, steps } from './conversation.js';

const RUNS = 40;

/** The payloads of one kind, in order. Nobody here sends fragments. */
function payloads(peer: FramePeer, opcode: number): Buffer[] {
  return peer.received.filter((frame) => frame.opcode === opcode).map(({ payload }) => payload);
}

/** What came is the beginning of what was sent: message by message, or only byte by byte. */
function expectBeginning(came: readonly Buffer[], sent: readonly Buffer[], all: boolean, boundaries: boolean): void {
  if (boundaries) {
    expect(came.length).toBeLessThanOrEqual(sent.length);
    expect(came.every((message, index) => message.equals(sent[index]!))).toBe(true);
    if (all) expect(came.length).toBe(sent.length);
    return;
  }
  const [got, given] = [Buffer.concat(came), Buffer.concat(sent)];
  expect(got.equals(given.subarray(0, got.length))).toBe(true);
  if (all) expect(got.length).toBe(given.length);
}

/** I1 and I2: the story that the receiver was told. */
function expectStory({ pair: { receiver } }: Outcome): void {
  const { names } = receiver;
  expect(names.slice(0, 2)).toEqual(['upgrade', 'open']);
  expect(names.filter((name) => name === 'open' || name === 'closed')).toEqual(['open', 'closed']);
  expect(names.at(-1)).toBe('closed');
  const pressure = names.filter((name) => name === 'throttled' || name === 'unthrottled');
  expect(pressure.every((name, index) => name === (index % 2 === 0 ? 'throttled' : 'unthrottled'))).toBe(true);
  expect(receiver.overlapping).toEqual([]);
}

/** I3: what arrived, and that all of it did where nothing but one polite close was done. */
async function expectMessages(setup: Setup, outcome: Outcome): Promise<void> {
  const { pair, client, target, application, endings } = outcome;
  const only = endings.length === 1 && endings[0]!.does === 'close' ? endings[0]!.who : undefined;
  const fromTarget = payloads(pair.client, Opcode.Binary);
  const politeTarget = only === 'target' || (only === 'client' && setup.target === 'ws');
  expectBeginning(fromTarget, target.sent, politeTarget, setup.target === 'ws');

  const texts = payloads(pair.client, Opcode.Text).map(String);
  expect(texts).toEqual(application.slice(0, texts.length));
  if (only === 'client' || only === 'application') expect(texts.length).toBe(application.length);

  const atReceiver = pair.receiver.entriesOf('binary').map(([, data]) => data);
  if (setup.path === 'messages') expectBeginning(atReceiver, client.sent, only === 'client', true);
  if (pair.target.ws !== undefined) {
    expectBeginning(payloads(pair.target.ws, Opcode.Binary), client.sent, only === 'client', true);
  } else if (pair.target.tcp !== undefined) {
    const came = await pair.target.tcp.read(pair.target.tcp.unread);
    expectBeginning([came], client.sent, only === 'client', false);
  }
}

/** I5: the report agrees with the wire, and nothing is on the wire that may not be. */
function expectTruth({ pair, report, client }: Outcome): void {
  for (const peer of [pair.client, pair.target.ws]) {
    if (peer === undefined) continue;
    const codes = closeCodes(peer);
    expect(codes.length).toBeLessThanOrEqual(1);
    expect(afterFirstClose(peer)).toBe(0);
    for (const frame of peer.received.filter(({ opcode }) => opcode === Opcode.Close)) {
      expect(frame.payload.length === 0 || isCloseCode(frame.payload.readUInt16BE(0))).toBe(true);
    }
  }
  const [seen] = closeCodes(pair.client);
  if (seen !== undefined) expect(report.codeSent).toBe(seen);
  if (report.codeReceived !== undefined) expect(report.codeReceived).toBe(client.closeSent);
  expect([report.codeReceived, report.codeSent, 1006]).toContain(report.status);
  if (report.cause === 'closed' && report.codeReceived !== undefined) expect(report.status).toBe(report.codeReceived);
  if (report.codeReceived === undefined && report.cause === 'closed') expect(report.status).toBe(1006);
  expect(pair.receiver.entriesOf('closed')[0]![1]).toBe(report.status);
}

describe.each(everySetup)('every conversation on $name', (setup) => {
  it('P1, P2, P3 and P4: is told once, carried in order, ended in truth, and leaves nothing', {
    timeout: 120_000,
  }, async () => {
    const before = holdings();
    const stage = await Stage.start(setup, { timeouts: { close: '1h', pressureDwell: 1 } });
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const outcome = await converse(stage, all);
        expectStory(outcome);
        await expectMessages(setup, outcome);
        expectTruth(outcome);
        expect(stage.told.exceptions).toEqual([]);
      }),
      // Everybody here is polite in the end, so nothing may wait for a deadline.
      { numRuns: RUNS, timeout: 15_000 },
    );
    expect(stage.told.reports.length).toBe(stage.told.opened.length);
    await stage.server.stop({ drainTimeout: 0 });
    await stage.upstream?.close();
    await stage.tcp?.close();
    await expectQuiet(before);
  });
});
