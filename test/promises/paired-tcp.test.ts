/** Owns P1 for plain TCP clients: whatever ends a connection, and whatever comes at the same time, each is told of once. */
import { describe, expect, it } from 'vitest';
import { startProxy, startTcp } from '../server/stage.js';
import { eventually } from '../support/events.js';
import { openTcp } from '../support/for-one-test.js';
import { QuietReceiver, RecordingReceiver } from '../support/recording-receiver.js';
import type { TcpConnection } from '../support/tcp-connection.js';

interface Pair {
  readonly client: TcpConnection;
  readonly upstream: TcpConnection;
  readonly receiver: QuietReceiver;
}

const ENDINGS: Readonly<Record<string, (pair: Pair) => void>> = {
  'the client ends': ({ client }) => client.end('last'),
  'the client resets': ({ client }) => client.reset(),
  'the target ends': ({ upstream }) => upstream.end('last'),
  'the target resets': ({ upstream }) => upstream.reset(),
  'it is closed': ({ receiver }) => receiver.connection.close(4000, 'enough'),
  'it is terminated': ({ receiver }) => receiver.connection.terminate(),
};

const pairs = Object.keys(ENDINGS).flatMap((one) => Object.keys(ENDINGS).map((other) => [one, other] as const));

describe.each([
  ['bytes', false, () => new QuietReceiver()],
  ['bytes with half closes', true, () => new QuietReceiver()],
  ['messages', false, () => new RecordingReceiver()],
] as const)('on the %s path', (_path, halfClose, create) => {
  it('onOpen and onClosed come once each, whatever two things end a connection (P1)', async () => {
    const target = await startTcp();
    const receivers: QuietReceiver[] = [];
    const { port, server, events } = await startProxy({
      listen: { host: '127.0.0.1', port: 0, protocol: 'tcp' },
      target: target.url,
      halfClose,
      timeouts: { close: 50 },
      receiver: () => {
        const receiver = create();
        receivers.push(receiver);
        return receiver;
      },
    });
    for (const [one, other] of pairs) {
      const client = await openTcp({ port });
      const upstream = await target.nextConnection();
      const receiver = receivers.at(-1)!;
      await receiver.waitFor('open');
      ENDINGS[one]!({ client, upstream, receiver });
      ENDINGS[other]!({ client, upstream, receiver });
      // The other side of the end that is still missing, where halves end one by one.
      client.end();
      upstream.end();
      await receiver.waitFor('closed');
      const told = receiver.names.filter((name) => name !== 'binary');
      expect(told, `${one}, and ${other}`).toEqual(['upgrade', 'open', 'closed']);
      expect(receiver.names.at(-1)).toBe('closed');
    }
    await eventually(() => server.connections.length === 0, 'none is left');
    expect(events.reports.all).toHaveLength(pairs.length);
    await server.stop();
    expect(server.state).toBe('stopped');
  });
});
