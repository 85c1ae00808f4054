/** Owns the check of the recording receivers and of the waiting helpers of the test kit. */
import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { readsMessages } from '../../../src/receivers/connection-receiver.js';
import type { UpgradeRequest } from '../../../src/receivers/upgrade-request.js';
import { deferred, eventually, waitForEvent } from '../../support/events.js';
import { QuietReceiver, RecordingReceiver, receiverFactory } from '../../support/recording-receiver.js';

const request = { url: '/chat' } as UpgradeRequest;

describe('RecordingReceiver', () => {
  test('writes the story down in order', async () => {
    const receiver = new RecordingReceiver();
    const open = receiver.waitFor('open');
    expect(receiver.onUpgradeRequest(request)).toBe(true);
    receiver.onOpen(request);
    receiver.onText('a');
    receiver.onText('b');
    receiver.onClosed(1000, 'bye');
    expect(receiver.entries).toEqual([
      ['upgrade', '/chat'],
      ['open', '/chat'],
      ['text', 'a'],
      ['text', 'b'],
      ['closed', 1000, 'bye'],
    ]);
    expect(await open).toEqual(['open', '/chat']);
    expect([await receiver.waitFor('text'), await receiver.waitFor('text')]).toEqual([
      ['text', 'a'],
      ['text', 'b'],
    ]);
    expect(await receiver.waitFor('closed')).toEqual(await receiver.waitFor('closed'));
  });

  test('does what an override says, and notices overlapping callbacks', async () => {
    const gate = deferred();
    const receiver = new RecordingReceiver({
      onText: async (text) => {
        await gate.promise;
        return text.toUpperCase();
      },
      onBinary: () => {
        throw new Error('no binary here');
      },
    });
    const answer = receiver.onText('slow');
    expect(() => receiver.onBinary(Buffer.alloc(1))).toThrow('no binary here');
    expect(receiver.overlapping).toEqual(['binary']);
    gate.resolve();
    expect(await answer).toBe('SLOW');
    receiver.onThrottled();
    expect(receiver.overlapping).toEqual(['binary']);
  });

  test('has optional callbacks only when asked for', () => {
    const plain = new RecordingReceiver();
    expect([plain.onFragment, plain.onUpstreamText, plain.onBeforeHeartbeat]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const full = new RecordingReceiver({ onUpstreamText: () => 'other', onIdleTimeout: () => true });
    expect(full.onUpstreamText?.('x')).toBe('other');
    expect(full.onIdleTimeout?.()).toBe(true);
    expect(full.names).toEqual(['upstreamText', 'idleTimeout']);
  });

  test('leaves messages alone as a quiet receiver', () => {
    expect(readsMessages(new RecordingReceiver())).toBe(true);
    expect(readsMessages(new QuietReceiver({ onBeforeHeartbeat: () => false }))).toBe(false);
  });

  test('is collected by its factory', async () => {
    const factory = receiverFactory(() => new QuietReceiver());
    const next = factory.nextReceiver();
    const made = factory.create();
    expect(await next).toBe(made);
    expect(factory.receivers).toEqual([made]);
    expect(
      receiverFactory({ onText: () => 'x' })
        .create()
        .onText('y'),
    ).toBe('x');
  });
});

describe('the waiting helpers', () => {
  test('give the arguments of an event, and name what did not happen', async () => {
    const emitter = new EventEmitter<{ ready: [number] }>();
    const ready = waitForEvent<[number]>(emitter, 'ready');
    emitter.emit('ready', 7);
    expect(await ready).toEqual([7]);
    let rounds = 0;
    await eventually(() => ++rounds === 60, 'sixty rounds');
    await expect(eventually(() => false, 'the impossible', { within: 20 })).rejects.toThrow(
      'did not happen within 0.02 s: the impossible',
    );
  });
});
