/** Owns that the tests which an example has for its receiver pass, and that they find it when the receiver is wrong. */
import { describe, expect, it } from 'vitest';
import { Auction, Bidder, start, tests } from '../../examples/14-testing-a-receiver.js';
import { driveAlongPath, pathOf } from '../../src/testing.js';
import { RawClient } from '../support/raw-client.js';

describe('a bidder of the example', () => {
  for (const { name, run } of tests()) it(name, run);

  it('takes bids over a socket, too', async () => {
    const server = await start(0);
    const client = await RawClient.open({ port: server.addresses[0]!.port });
    expect(await client.nextText()).toBe('highest 0');
    client.sendText('7');
    expect(await client.nextText()).toBe('highest 7');
    client.destroy();
    await server.stop({ drainTimeout: 0 });
  });
});

it('one that forgets to leave is found by the first path that closes it', async () => {
  class Ghost extends Bidder {
    override onClosed(): void {}
  }
  const auction = new Auction();
  const closed = pathOf([
    { type: 'decision.accept', dial: 'none' },
    { type: 'terminate.request', ending: ENDING },
  ]);
  const check = () => expect(auction.bidders.size).toBe(0);
  await driveAlongPath(closed, () => new Bidder(auction), {
    check: ({ connection }) => (connection.state === 'closed' ? check() : undefined),
  });
  await expect(
    driveAlongPath(closed, () => new Ghost(auction), {
      check: ({ connection }) => (connection.state === 'closed' ? check() : undefined),
    }),
  ).rejects.toThrow();
});

const ENDING = { initiator: 'application', cause: 'terminated', code: 1006, reason: '' } as const;
