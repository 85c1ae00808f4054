/** Owns MQTT over WebSocket: the `mqtt` client through the `stream` path to a Mosquitto that only speaks TCP. */
import { randomBytes, randomUUID } from 'node:crypto';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { type FoundService, findMosquitto, type Missing } from '../support/services.js';
import { happened, Queue, type RunningProxy, startProxy } from './stage.js';

let broker: FoundService | Missing;

beforeAll(async () => {
  broker = await findMosquitto();
});
afterAll(async () => {
  if (broker.missing === undefined) await broker.stop();
});

interface Arrived {
  readonly topic: string;
  readonly payload: Buffer;
  readonly packet: IPublishPacket;
}

/** A proxy before the broker, and topics that no other test uses. */
async function stage(context: TestContext): Promise<{ proxy: RunningProxy; topic: string }> {
  if (broker.missing !== undefined) return context.skip(broker.missing);
  const proxy = await startProxy({ target: `tcp://${broker.host}:${broker.port}`, subprotocols: ['mqtt'] });
  return { proxy, topic: `tidegate/${randomUUID()}` };
}

async function connect(
  proxy: RunningProxy,
  options: IClientOptions = {},
): Promise<{ client: MqttClient; arrived: Queue<Arrived> }> {
  const client = await mqtt.connectAsync(proxy.url, { reconnectPeriod: 0, ...options });
  const arrived = new Queue<Arrived>();
  client.on('message', (topic, payload, packet) => arrived.add({ topic, payload, packet }));
  client.on('error', () => {});
  onTestFinished(() => client.endAsync(true));
  return { client, arrived };
}

describe('mqtt through the stream path', () => {
  it('agrees on the subprotocol mqtt', async (context) => {
    const { proxy } = await stage(context);
    await connect(proxy);
    const connection = await proxy.nextConnection();
    expect(connection.snapshot()).toMatchObject({ subprotocol: 'mqtt', dataPath: 'stream' });
  });

  it.for([4, 5] as const)(
    'delivers at every quality of service, in order, with protocol version %i',
    async (protocolVersion, context) => {
      const { proxy, topic } = await stage(context);
      const subscriber = await connect(proxy, { protocolVersion });
      const publisher = await connect(proxy, { protocolVersion });
      for (const qos of [0, 1, 2] as const) {
        await subscriber.client.subscribeAsync(`${topic}/${qos}`, { qos });
        // A broker allows so many unacknowledged messages at a time; mosquitto's default is 20.
        for (let round = 0; round < 5; round += 1) {
          const payloads = Array.from({ length: 10 }, (_, index) => randomBytes(1 + (10 * round + index) * 40));
          const publish = (payload: Buffer) => publisher.client.publishAsync(`${topic}/${qos}`, payload, { qos });
          await Promise.all(payloads.map(publish));
          for (const payload of payloads) {
            const message = await subscriber.arrived.next();
            expect(message.payload.equals(payload)).toBe(true);
            expect(message.packet).toMatchObject({ qos, topic: `${topic}/${qos}` });
          }
        }
      }
    },
  );

  it('gives a later subscriber what was retained', async (context) => {
    const { proxy, topic } = await stage(context);
    const publisher = await connect(proxy);
    await publisher.client.publishAsync(topic, 'kept', { qos: 1, retain: true });
    onTestFinished(() => publisher.client.publishAsync(topic, '', { qos: 1, retain: true }).then(() => {}));
    const subscriber = await connect(proxy);
    await subscriber.client.subscribeAsync(topic);
    const { payload, packet } = await subscriber.arrived.next();
    expect(payload.toString()).toBe('kept');
    expect(packet.retain).toBe(true);
  });

  it('carries a message of 1 MB', async (context) => {
    const { proxy, topic } = await stage(context);
    const { client, arrived } = await connect(proxy);
    await client.subscribeAsync(topic);
    const payload = randomBytes(1024 * 1024);
    await client.publishAsync(topic, payload, { qos: 1 });
    expect(payload.equals((await arrived.next()).payload)).toBe(true);
  });

  it('lets the keepalive of the client be answered by the broker', async (context) => {
    const { proxy, topic } = await stage(context);
    const { client, arrived } = await connect(proxy, { keepalive: 1 });
    for (let count = 0; count < 2; count += 1) {
      for (;;) {
        const [packet] = await happened<[{ cmd: string }]>(client, 'packetreceive');
        if (packet.cmd === 'pingresp') break;
      }
    }
    await client.subscribeAsync(topic);
    await client.publishAsync(topic, 'still here');
    expect((await arrived.next()).payload.toString()).toBe('still here');
  });

  it('has the broker publish the will of a client that vanished', async (context) => {
    const { proxy, topic } = await stage(context);
    const watcher = await connect(proxy);
    await watcher.client.subscribeAsync(topic);
    await proxy.nextConnection();
    await connect(proxy, { will: { topic, payload: Buffer.from('gone'), qos: 1, retain: false } });
    (await proxy.nextConnection()).terminate();
    expect((await watcher.arrived.next()).payload.toString()).toBe('gone');
  });

  it('reports 1000 for a client that disconnected in order', async (context) => {
    const { proxy } = await stage(context);
    const { client } = await connect(proxy);
    await client.endAsync();
    const report = await proxy.nextReport();
    expect(report.undeliveredBytes).toBe(0);
    expect([1000, 1005]).toContain(report.status);
  });
});
