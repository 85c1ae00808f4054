/** Holds that receivers see the messages of clients and backends behind a balancer as behind a proxy, and what is told of every socket. */
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { BackendAgent, ConnectionReceiver, DROP, type Fragment, LoadBalancer } from '../../../src/index.js';
import { openClient, startUpstream } from '../../support/for-one-test.js';
import { Opcode } from '../../support/frames.js';
import { startBalancer } from './balancer-with-backends.js';

class Editor extends ConnectionReceiver {
  override onText(text: string) {
    if (text === 'swallow') return DROP;
    if (text === 'who?') {
      this.connection.send('the balancer');
      return DROP;
    }
    return text.toUpperCase();
  }

  override onBinary(data: Buffer) {
    return Buffer.from(data).reverse();
  }

  onUpstreamText(text: string) {
    return `<${text}>`;
  }
}

it('text and bytes are changed, swallowed and answered before a backend sees them', async () => {
  const upstream = await startUpstream();
  const { open } = await startBalancer({ backends: [upstream.url], receiver: () => new Editor() });
  const client = await open();
  const backend = await upstream.nextConnection();
  for (const text of ['swallow', 'who?', 'hello']) client.sendText(text);
  client.sendBinary(Buffer.from([1, 2, 3]));
  expect(await client.nextText()).toBe('the balancer');
  expect(await backend.nextText()).toBe('HELLO');
  expect([...(await backend.nextBinary())]).toEqual([3, 2, 1]);
  backend.sendText('back');
  expect(await client.nextText()).toBe('<back>');
});

it('fragments are seen one by one on their way', async () => {
  const seen: string[] = [];
  class Pieces extends ConnectionReceiver {
    onFragment({ data, first, final }: Fragment): void {
      seen.push(`${first ? 'first' : final ? 'final' : 'middle'} ${data}`);
    }
  }
  const upstream = await startUpstream();
  const options = { backends: [upstream.url], fragments: 'fragments' as const, receiver: () => new Pieces() };
  const { open } = await startBalancer(options);
  const client = await open();
  const backend = await upstream.nextConnection();
  client.sendFrame({ opcode: Opcode.Text, payload: 'one ', fin: false });
  client.sendFrame({ opcode: Opcode.Continuation, payload: 'two ', fin: false });
  client.sendFrame({ opcode: Opcode.Continuation, payload: 'three' });
  expect(await backend.nextText()).toBe('one two three');
  expect(seen).toEqual(['first one ', 'middle two ', 'final three']);
});

it('every socket is told, control channels as well, before it is known what it is', async () => {
  const balancer = new LoadBalancer({
    listen: '127.0.0.1:0',
    health: { check: 'off' },
    control: { path: '/control', tokens: ['a-secret-of-16-letters'] },
  });
  const told: string[] = [];
  const names = ['connection', 'backend.connected', 'backend.ready', 'client.paired', 'client.unpaired'] as const;
  for (const name of [...names, 'backend.draining', 'backend.lost', 'backend.gone', 'disconnected'] as const) {
    balancer.on(name, (...values: { id: string }[]) => void told.push(`${name} ${values[0]!.id}`));
  }
  onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
  const [address] = await balancer.start();
  const upstream = await startUpstream();
  const agent = new BackendAgent({
    balancer: `${address!.url}/control`,
    token: 'a-secret-of-16-letters',
    advertise: [upstream.url],
    id: 'one',
  });
  onTestFinished(() => agent.stop());
  const ready = once(balancer, 'backend.ready');
  agent.start();
  await ready;
  const client = await openClient({ port: address!.port });
  expect(balancer.connections.map(({ id }) => id)).toEqual(['conn-2']);
  const unpaired = once(balancer, 'client.unpaired');
  const backend = await upstream.nextConnection();
  client.sendClose(1000);
  await backend.expectClose();
  backend.sendClose(1000);
  backend.end();
  await unpaired;
  const gone = once(balancer, 'backend.gone');
  await agent.leave();
  await gone;
  expect(told.slice(0, 6)).toEqual([
    'connection conn-1',
    'backend.connected conn-1',
    'backend.ready one',
    'connection conn-2',
    'client.paired conn-2',
    'client.unpaired conn-2',
  ]);
  expect(told.indexOf('disconnected conn-2')).toBeGreaterThan(told.indexOf('client.unpaired conn-2'));
  expect(told.indexOf('backend.gone one')).toBeGreaterThan(told.indexOf('backend.draining one'));
});
