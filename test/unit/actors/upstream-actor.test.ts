/** Holds the second line of the upstream actor: an effect that throws, which none may, ends its pair and nothing else. */
import { expect, it } from 'vitest';
import { createActor, createMachine } from 'xstate';
import type { ConnectionActor } from '../../../src/actors/connection-actor.js';
import { UpstreamActor } from '../../../src/actors/upstream-actor.js';

it('P5, P7: an effect that throws cuts the transport, ends the connection and lets the server forget the upstream', () => {
  const calls: string[] = [];
  const failure = new Error('on purpose');
  const connection = {
    id: 'conn-1',
    upstreamReady: () => calls.push('ready'),
    close: ({ cause, code }: { cause: string; code: number }) => calls.push(`connection closes: ${cause} ${code}`),
  } as unknown as ConnectionActor;
  const upstream = new UpstreamActor({
    connection,
    parent: createActor(createMachine({ on: { '*': {} } })).start(),
    host: {
      upstreamTimeouts: { dial: 0, close: 0, writeStall: 0 },
      upstreamOpened: () => calls.push('opened'),
      upstreamGone: () => calls.push('gone'),
      upstreamStepped: () => {},
      upstreamFault: (_, error) => calls.push(`fault: ${String(error === failure)}`),
    },
  });
  upstream.port = {
    dial: () => upstream.dialled(),
    over: () => {},
    lossEnding: () => undefined,
    abortDial: () => {},
    read: () => {},
    stopReading: () => {
      throw failure;
    },
    sendHeartbeat: () => {},
    sendClose: () => {},
    end: () => {},
    terminate: () => calls.push('terminated'),
    takeExcuse: () => false,
    probe: () => {},
    speaksWebSocket: true,
    bytesRead: 0,
    bufferedBytes: 0,
    roundTripMs: undefined,
  };
  upstream.start();
  upstream.dialled();
  calls.length = 0;
  upstream.hold();
  expect(calls).toEqual(['fault: true', 'terminated', 'gone', 'connection closes: UPSTREAM_LOST 1011']);
});
