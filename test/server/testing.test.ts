/** Owns that the charts and what endings mean can be used by the tests of an application, from `tidegate/testing`. */
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import {
  type ConnectionEffects,
  connectionMachine,
  relayed,
  reportedStatus,
  supervisorMachine,
  upstreamMachine,
} from '../../src/testing.js';
import { FakeConnectionEffects } from '../support/fake-effects.js';

describe('tidegate/testing', () => {
  it('gives the three charts', () => {
    expect([connectionMachine, upstreamMachine, supervisorMachine].map(({ id }) => id)).toEqual([
      'connection',
      'upstream',
      'supervisor',
    ]);
  });

  it('lets a chart run against effects of ones own', () => {
    const port: ConnectionEffects & { calls: ReadonlyArray<{ effect: string }> } = new FakeConnectionEffects();
    const actor = createActor(connectionMachine, { input: { port } });
    actor.start();
    actor.send({ type: 'decision.accept', dial: 'none' });
    expect(actor.getSnapshot().matches('open')).toBe(true);
    expect(port.calls.map(({ effect }) => effect)).toEqual(['decide', 'acceptUpgrade', 'openGate', 'deliverOpen']);
    actor.stop();
  });

  it('gives what endings mean', () => {
    const lost = { initiator: 'upstream', cause: 'UPSTREAM_LOST', code: 1006, reason: '' } as const;
    expect(relayed(lost).code).toBe(1011);
    expect(reportedStatus(lost, undefined, false).status).toBe(1006);
  });
});
