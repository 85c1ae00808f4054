/** Owns that a policy is asked about the messages of a client on every path, and what follows from its denial. */

import { describe, expect, it, onTestFinished } from 'vitest';
import { type CloseReport, ConnectionReceiver } from '../../src/index.js';
import { AdmissionRecord } from '../../src/server/admission/admission-record.js';
import { OFFENCES } from '../../src/server/admission/offences.js';
import type { Denial, MessageFacts, Peer } from '../../src/server/admission/policy.js';
import { resolveProxyOptions } from '../../src/server/config/options.js';
import { Observation } from '../../src/server/observation/observation.js';
import { RunningServer } from '../../src/server/running-server.js';
import { TicketKeys } from '../../src/server/tls/ticket-keys.js';
import { chooseLayer } from '../../src/server/wires/wire-layer.js';
import { openClient, startTcpPeer, startUpstream } from '../support/for-one-test.js';
import { encodeFrame, Opcode } from '../support/frames.js';
import { Given } from './stage.js';

class Reader extends ConnectionReceiver {
  override onText() {}
}

const PATHS = [
  ['frames', 'ws'],
  ['stream', 'tcp'],
  ['messages', 'ws'],
  ['messages', 'tcp'],
] as const;

async function start(
  path: string,
  kind: 'ws' | 'tcp',
  judge: (facts: MessageFacts) => Denial | undefined,
  limits = {},
) {
  const target =
    kind === 'ws'
      ? await startUpstream()
      : await startTcpPeer({
          onConnection: (end) =>
            void end.waitForEnd().then(
              () => end.end(),
              () => {},
            ),
        });
  const reports = new Given<CloseReport>();
  const asked: MessageFacts[] = [];
  const offences: [Peer, number, string][] = [];
  const config = resolveProxyOptions({ listen: '127.0.0.1:0', target: target.url, limits });
  const running = new RunningServer({
    config,
    hooks: path === 'messages' ? { receiver: () => new Reader() } : {},
    needsTarget: true,
    layer: chooseLayer('auto'),
    admin: undefined,
    listen: config.listen,
    record: new AdmissionRecord(config, () => {}),
    observation: new Observation({ config, hooks: {}, server: {}, tell() {} }),
    tickets: new TicketKeys(),
    nextId: () => 'conn-1',
    tell: (name, ...values) => {
      if (name === 'disconnected') reports.add(values[1] as CloseReport);
    },
  });
  Object.assign(running.services.links, {
    messagePolicy: (_connection: unknown, facts: MessageFacts) => {
      asked.push(facts);
      return judge(facts);
    },
    offence: (...told: [Peer, number, string]) => offences.push(told),
  });
  await running.start();
  onTestFinished(async () => {
    await running.supervisor.stop(() => ({ initiator: 'operator', cause: 'disconnected', code: 1001, reason: '' }), 0);
    await running.release();
  });
  const client = await openClient({ port: running.addresses[0]!.port });
  const peer = await target.nextConnection();
  return { client, peer, reports, asked, offences };
}

describe.each(PATHS)('a message policy on %s to %s', (path, kind) => {
  it('is told the kind and the size of every message, of a fragmented one when its last frame comes', async () => {
    const { client, peer, asked } = await start(path, kind, () => undefined);
    client.sendText('hello');
    client.sendBinary(Buffer.alloc(70_000));
    client.sendRaw(encodeFrame({ opcode: Opcode.Text, payload: 'he', fin: false, masked: true }));
    client.sendPing('between');
    client.sendRaw(encodeFrame({ opcode: Opcode.Continuation, payload: 'llo', masked: true }));
    if ('nextMessage' in peer) for (let count = 0; count < 3; count += 1) await peer.nextMessage();
    else await peer.read(70_010);
    expect(asked).toEqual([
      { kind: 'text', bytes: 5 },
      { kind: 'binary', bytes: 70_000 },
      { kind: 'text', bytes: 5 },
    ]);
  });

  it('closes with the code of its denial, behind the messages before, and the report says so', async () => {
    const { client, peer, reports } = await start(path, kind, ({ bytes }) =>
      bytes > 10 ? { error: 'POLICY_DENIED', message: 'too long for this one' } : undefined,
    );
    const long = { opcode: Opcode.Text, payload: 'much too long', masked: true };
    client.sendRaw(
      Buffer.concat([
        encodeFrame({ ...long, payload: 'short' }),
        encodeFrame(long),
        encodeFrame({ ...long, payload: 'after' }),
      ]),
    );
    expect(await client.expectClose()).toEqual({ code: 1008, reason: 'too long for this one' });
    if ('nextMessage' in peer) {
      expect((await peer.nextMessage()).text).toBe('short');
      await peer.expectClose();
      expect(peer.received).toHaveLength(2);
    } else {
      expect((await peer.read(5)).toString()).toBe('short');
      await peer.waitForEnd();
    }
    expect(await reports.next()).toMatchObject({
      initiator: 'proxy',
      cause: 'POLICY_DENIED',
      status: 1008,
      codeSent: 1008,
      received: { messages: 1, bytes: 5 },
    });
  });

  it('that throws ends this connection as a failed application does', async () => {
    const { client, reports } = await start(path, kind, () => {
      throw new Error('broken');
    });
    client.sendText('hello');
    expect(await client.expectClose()).toEqual({ code: 1011, reason: 'an admission policy failed' });
    expect(await reports.next()).toMatchObject({ cause: 'RECEIVER_FAILED', status: 1011 });
  });

  it('is not all: a client that floods is told of as an offence of its address', async () => {
    const { client, reports, offences } = await start(path, kind, () => undefined, {
      messagesPerSecond: 10,
      floodGrace: 100,
    });
    client.sendRaw(
      Buffer.concat(Array.from({ length: 50 }, () => encodeFrame({ opcode: 1, payload: 'x', masked: true }))),
    );
    expect(await reports.next()).toMatchObject({ cause: 'RATE_LIMITED' });
    expect(offences).toMatchObject([
      [{ remoteAddress: '127.0.0.1' }, OFFENCES.flood, 'more than 10 messages a second for 100 ms'],
    ]);
  });
});
