/** Owns the probes of the scanner's bookkeeping: at rest, stopped, behind a violation, and at limits the table has not. */
import { strict as assert } from 'node:assert';
import { encodeFrame, Opcode } from '../support/frames.js';
import type { ProtocolModules } from './modules.js';

const NO_LIMITS = { masked: false, compression: false, maxFrameBytes: 0, maxMessageBytes: 0, maxFragments: 0 };

/** A scanner that does something in each callback, and writes down its name. */
function scannerOf(
  { FrameScanner }: ProtocolModules,
  options: Partial<typeof NO_LIMITS>,
  act: (name: string) => void = () => {},
): { scanner: InstanceType<ProtocolModules['FrameScanner']>; calls: string[] } {
  const calls: string[] = [];
  const call = (name: string): void => {
    calls.push(name);
    act(name);
  };
  const handler = {
    onFrameStart: () => call('start'),
    onPayload: () => call('payload'),
    onFrameEnd: () => call('end'),
    onControl: () => call('control'),
  };
  return { scanner: new FrameScanner({ ...NO_LIMITS, ...options, handler }), calls };
}

const hello = encodeFrame({ opcode: Opcode.Text, payload: 'Hello' });
const begun = encodeFrame({ opcode: Opcode.Text, payload: 'Hello', fin: false });
const more = encodeFrame({ opcode: Opcode.Continuation, payload: 'Hello' });
const empty = encodeFrame({ opcode: Opcode.Binary });
const ping = encodeFrame({ opcode: Opcode.Ping, payload: 'beat' });

/** A scanner before it saw anything, and between frames. */
export function scannerAtRest(modules: ProtocolModules): void {
  const { scanner } = scannerOf(modules, {}, (name) => {
    if (name === 'start') assert.equal(scanner.payloadOffset, 0);
  });
  const { bytes, violation, ...facts } = scanner;
  assert.deepEqual([bytes.length, violation], [0, null]);
  assert.deepEqual(facts, {
    consumed: 0,
    frameStart: 0,
    opcode: 0,
    final: false,
    compressed: false,
    length: 0,
    maskKey: 0,
    payloadOffset: 0,
    messageOpcode: 0,
    masked: false,
    messageCompressed: false,
    fragmentIndex: 0,
  });
  assert.deepEqual(
    [scanner.heldBytes, scanner.atBoundary, scanner.inMessage, scanner.stopped],
    [0, true, false, false],
  );
  assert.deepEqual(scanner.place, { skip: 0, held: Buffer.alloc(0) });
  // Where nothing is held, the chunk is looked at as it is and not copied.
  for (const chunk of [hello, empty, hello]) {
    scanner.scan(chunk);
    assert.equal(scanner.bytes, chunk);
  }
  scanner.scan(hello.subarray(0, 1));
  assert.deepEqual(scanner.place.held, Buffer.from(hello.subarray(0, 1)));
  scanner.scan(hello.subarray(1, 4));
  assert.deepEqual([scanner.atBoundary, scanner.inMessage, scanner.consumed], [false, true, 4]);
  assert.equal(scanner.place.skip, hello.length - 4);
  scanner.scan(Buffer.concat([hello.subarray(4), hello]));
}

/** `stop()` in every callback: nothing is told after it, and what is not done with is not held. */
export function scannerStops(modules: ProtocolModules): void {
  const stream = Buffer.concat([hello, ping, empty, hello.subarray(0, 1)]);
  const wanted = [
    ['start', 1, 2],
    ['payload', 2, 7],
    ['end', 3, 7],
    ['control', 4, 13],
  ] as const;
  for (const [where, calls, consumed] of wanted) {
    const stopping = scannerOf(modules, {}, (name) => name === where && stopping.scanner.stop());
    stopping.scanner.scan(stream);
    assert.deepEqual([stopping.calls.length, stopping.scanner.consumed], [calls, consumed]);
    assert.deepEqual([stopping.scanner.stopped, stopping.scanner.heldBytes], [true, 0]);
    stopping.scanner.scan(hello);
    assert.deepEqual([stopping.calls.length, stopping.scanner.consumed, stopping.scanner.heldBytes], [calls, 0, 0]);
  }
  const atEmpty = scannerOf(modules, {}, (name) => name === 'start' && atEmpty.scanner.stop());
  atEmpty.scanner.scan(empty);
  assert.deepEqual(atEmpty.calls, ['start']);
  const { scanner } = scannerOf(modules, {});
  scanner.scan(ping.subarray(0, 3));
  scanner.stop();
  assert.equal(scanner.heldBytes, 0);
}

/** A rule that is broken: the good frames before are done with, and the wrong one is not begun. */
export function scannerFails(modules: ProtocolModules): void {
  const { scanner, calls } = scannerOf(modules, {});
  scanner.scan(Buffer.concat([hello, Buffer.of(0x83)]));
  assert.deepEqual([scanner.violation?.code, scanner.consumed, scanner.stopped], [1002, hello.length, true]);
  scanner.scan(hello);
  assert.deepEqual([calls.length, scanner.consumed], [3, 0]);
}

/** Lengths that no message of a test has, and limits that are not those of the table. */
export function scannerLimits(modules: ProtocolModules): void {
  for (const length of [2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 33 + 1, Number.MAX_SAFE_INTEGER]) {
    const { scanner } = scannerOf(modules, {});
    scanner.scan(encodeFrame({ opcode: Opcode.Binary, lengthOverride: length }));
    assert.deepEqual([scanner.violation, scanner.length], [null, length]);
  }
  const codeOf = (options: Partial<typeof NO_LIMITS>, ...frames: readonly Buffer[]): number | undefined => {
    const { scanner } = scannerOf(modules, options);
    scanner.scan(Buffer.concat(frames));
    return scanner.violation?.code;
  };
  const of = (opcode: number, length: number): Buffer => encodeFrame({ opcode, payload: Buffer.alloc(length) });
  for (const limit of [{ maxFrameBytes: 50 }, { maxMessageBytes: 50 }]) {
    assert.equal(codeOf(limit, of(Opcode.Binary, 50)), undefined);
    assert.equal(codeOf(limit, of(Opcode.Binary, 51)), 1009);
    assert.equal(codeOf(limit, of(Opcode.Ping, 100)), undefined);
  }
  // Another limit counts from the next frame on, for frames and for whole messages; 0 is none.
  const { scanner: relimited } = scannerOf(modules, { maxFrameBytes: 50, maxMessageBytes: 50 });
  relimited.limitMessages(100);
  relimited.scan(of(Opcode.Binary, 100));
  assert.deepEqual([relimited.violation], [null]);
  relimited.scan(encodeFrame({ opcode: Opcode.Binary, payload: Buffer.alloc(60), fin: false }));
  relimited.scan(encodeFrame({ opcode: Opcode.Continuation, payload: Buffer.alloc(41) }));
  assert.equal(relimited.violation?.code, 1009);
  for (const limit of [{ maxFrameBytes: 50 }, { maxMessageBytes: 50 }]) {
    const { scanner } = scannerOf(modules, limit);
    scanner.limitMessages(0);
    scanner.scan(of(Opcode.Binary, 200));
    assert.equal(scanner.violation, null);
  }
  const { scanner: lowered } = scannerOf(modules, {});
  lowered.limitMessages(10);
  lowered.scan(encodeFrame({ opcode: Opcode.Binary, lengthOverride: 11 }));
  assert.equal(lowered.violation?.code, 1009);
  // One byte of a length of two is not taken for a length.
  assert.equal(codeOf({ maxFrameBytes: 50 }, Buffer.of(0x82, 126, 1)), undefined);
  assert.equal(codeOf({ maxFrameBytes: 5 }, begun, more), undefined);
  assert.equal(codeOf({ maxMessageBytes: 9 }, begun, more), 1009);
  assert.equal(codeOf({ maxFragments: 1 }, hello, begun), undefined);
  assert.equal(codeOf({ maxFragments: 1 }, hello, begun, Buffer.of(0x80)), 1008);
}

/** A frame that somebody refuses at its header: as if it broke a rule, and a message it continues stays open. */
export function scannerRefuses(modules: ProtocolModules): void {
  const violation = { error: 'RATE_LIMITED', code: 1008, message: 'too fast' } as const;
  const refusing = (at: number) => {
    let starts = 0;
    const made = scannerOf(modules, {}, (name) => {
      if (name !== 'start') return;
      starts += 1;
      if (starts === at) made.scanner.refuse(violation);
    });
    return made;
  };
  const stateOf = ({ scanner }: ReturnType<typeof refusing>) => [
    scanner.violation,
    scanner.stopped,
    scanner.consumed,
    scanner.atBoundary,
    scanner.inMessage,
  ];
  const whole = refusing(2);
  whole.scanner.scan(Buffer.concat([hello, hello, ping]));
  assert.deepEqual(whole.calls, ['start', 'payload', 'end', 'start']);
  assert.deepEqual(stateOf(whole), [violation, true, hello.length, true, false]);
  const last = refusing(2);
  last.scanner.scan(Buffer.concat([begun, more]));
  assert.deepEqual(last.calls, ['start', 'payload', 'end', 'start']);
  assert.deepEqual(stateOf(last), [violation, true, begun.length, true, true]);
  const nothing = refusing(1);
  nothing.scanner.scan(empty);
  assert.deepEqual([nothing.calls, stateOf(nothing)], [['start'], [violation, true, 0, true, false]]);
}
