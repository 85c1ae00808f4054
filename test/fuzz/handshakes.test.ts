/** Owns some seconds of fuzzing of heads over real sockets: requests of clients, and answers of targets. */
import { it } from 'vitest';
import { expectNoFinding } from './run-target.js';
import { handshake } from './targets/handshake.js';
import { upstreamAnswer } from './targets/upstream-answer.js';

it(
  'a request head gets one complete answer, and a 101 only where Node reads the same valid handshake',
  () => expectNoFinding(handshake, 5),
  90_000,
);

it('whatever a target answers, the client gets one complete answer', () => expectNoFinding(upstreamAnswer, 4), 90_000);
