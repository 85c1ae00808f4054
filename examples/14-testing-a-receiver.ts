/** Adds tests to a receiver, without a socket or a wait: along every path of the connection's statechart, and by a conformance suite. */
import assert from 'node:assert';
import { ConnectionReceiver, ReceiverServer } from 'tidegate';
import {
  type ConformanceCase,
  connectionPaths,
  driveAlongPath,
  MemoryServer,
  openInMemory,
  receiverCases,
  SimulatedClock,
} from 'tidegate/testing';

/** One lot. Everybody who is there hears of each bid. */
export class Auction {
  highest = 0;
  readonly bidders = new Set<Bidder>();

  bid(amount: number): boolean {
    if (!Number.isSafeInteger(amount) || amount <= this.highest) return false;
    this.highest = amount;
    for (const bidder of this.bidders) bidder.tell();
    return true;
  }
}

/** One bidder. Whoever reads slowly misses bids that are history, and never the last one. */
export class Bidder extends ConnectionReceiver {
  readonly #auction: Auction;

  constructor(auction: Auction) {
    super();
    this.#auction = auction;
  }

  override onOpen(): void {
    this.#auction.bidders.add(this);
    this.tell();
  }

  override onText(text: string): void {
    if (!this.#auction.bid(Number(text))) this.connection.send('too little');
  }

  override onThrottled(): void {
    this.connection.pause();
  }

  override onUnthrottled(): void {
    this.connection.resume();
    this.tell();
  }

  override onClosed(): void {
    this.#auction.bidders.delete(this);
  }

  tell(): void {
    if (!this.connection.throttled) this.connection.send(`highest ${this.#auction.highest}`);
  }
}

/** The tests of it, for any framework: `for (const { name, run } of tests()) it(name, run)`. */
export function tests(): ConformanceCase[] {
  return [
    // Whatever happens to its connection: a bidder is in the room from onOpen to onClosed.
    ...connectionPaths().map((path) => ({
      name: `is in the room as long as it is connected: ${path.name}`,
      run: async () => {
        const auction = new Auction();
        await driveAlongPath(path, () => new Bidder(auction), {
          talk: ({ client }) => client.send(String(auction.highest + 10)),
          check: ({ recording }) => {
            const isThere = recording.names.includes('onOpen') && !recording.names.includes('onClosed');
            assert.equal(auction.bidders.size, isThere ? 1 : 0);
          },
        });
        assert.equal(auction.bidders.size, 0);
      },
    })),
    // What every receiver has to bear.
    ...receiverCases(() => new Bidder(new Auction()), { messages: ['10', '20', 'a lot', '15', '30'] }),
    {
      name: 'tells everyone of a bid',
      run: async () => {
        const auction = new Auction();
        await using server = await MemoryServer.start(() => new Bidder(auction));
        const [ada, bob] = [server.connect(), server.connect()];
        await Promise.all([ada.answered(), bob.answered()]);
        ada.send('100');
        for (const heard of ['highest 0', 'highest 100']) {
          assert.deepEqual(await bob.next('text'), { kind: 'text', text: heard });
        }
      },
    },
    {
      name: 'tells a slow bidder the last bid only',
      run: async () => {
        const auction = new Auction();
        const clock = new SimulatedClock();
        await using opened = await openInMemory(() => new Bidder(auction), { clock, window: 64 });
        const { client, connection } = opened;
        client.pauseReading();
        while (!connection.throttled) {
          auction.bid(auction.highest + 1);
          await clock.advance('20ms');
        }
        const before = auction.highest;
        for (const more of [1, 2, 3]) auction.bid(before + more);
        client.resumeReading();
        const heard = client.received.map((one) => (one.kind === 'text' ? one.text : one.kind));
        assert.equal(heard.at(-1), `highest ${before + 3}`);
        assert.ok(!heard.includes(`highest ${before + 2}`));
      },
    },
  ];
}

export async function start(port: number): Promise<ReceiverServer> {
  const auction = new Auction();
  const server = new ReceiverServer({ listen: `127.0.0.1:${port}`, receiver: () => new Bidder(auction) });
  await server.start();
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.env.PORT ?? 8080));
  console.log(`${server.addresses[0]?.url} takes bids`);
  for (const { name, run } of tests()) console.log(`${await run().then(() => 'ok', String)}: ${name}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.stop());
}
