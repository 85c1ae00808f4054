/**
 * Owns every close code there is, through a server: which pass and which are refused (RFC 6455 section 7.4). The case table
 * has the codes that matter on each way; here the ways share the rest out, so that each code is sent once.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWebSocket, type Pair, WAYS, Way, WEBSOCKET_WAYS } from '../fault/way.js';
import { closePayload, Opcode } from '../support/raw-client.js';

/** Section 7.4: all that are not used, all with a meaning of their own, and samples of the others. */
const CODES = [
  ...Array.from({ length: 1017 }, (_, code) => code),
  ...Array.from({ length: 100 }, (_, index) => 1018 + index * 20),
  ...Array.from({ length: 100 }, (_, index) => 3000 + index * 20),
  ...[2999, 3001, 3999, 4001, 4998, 4999],
  ...Array.from({ length: 60 }, (_, index) => 5000 + index * 1009),
  65_535,
];

const RUNS = [...WAYS.map((way) => [way, 'client'] as const), ...WEBSOCKET_WAYS.map((way) => [way, 'target'] as const)];

/** Written anew, as the one under test must not be asked. */
function mayTravel(code: number): boolean {
  if (code >= 3000) return code < 5000;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

/** Sends a Close frame, answers it at the other end, and says what the sender and the other end were told. */
async function exchange(pair: Pair, sender: 'client' | 'target', speaks: boolean, code: number): Promise<number[]> {
  const from = sender === 'client' ? pair.client : pair.upstream;
  from.sendFrame({ opcode: Opcode.Close, payload: closePayload(code, 'why') });
  if (!speaks) return [(await from.expectClose()).code];
  const to = sender === 'client' ? pair.upstream : pair.client;
  const far = await to.expectClose();
  to.sendClose(far.code);
  return [(await from.expectClose()).code, far.code];
}

describe.each(RUNS)('on the way "%s", from the %s', (name, sender) => {
  const share = CODES.filter(
    (_, index) => index % RUNS.length === RUNS.findIndex((run) => run[0] === name && run[1] === sender),
  );
  const speaks = isWebSocket(name);
  let way: Way;
  beforeAll(async () => {
    way = await Way.start(name);
  });
  afterAll(() => way.stop());

  it('a code that may travel is passed on and answered, and every other one is refused with 1002', async () => {
    const wrong: string[] = [];
    for (const code of share) {
      const pair = await way.open();
      const told = await exchange(pair, sender, speaks, code);
      const refused = sender === 'target' ? [1002, 1011] : [1002, 1002];
      const wanted = (mayTravel(code) ? [code, code] : refused).slice(0, told.length);
      if (`${told}` !== `${wanted}`) wrong.push(`${code}: ${told}`);
      pair.client.destroy();
    }
    expect(wrong).toEqual([]);
  });

  it('P4: an empty Close is answered with an empty one and reported as 1005', async () => {
    const pair = await way.open();
    const from = sender === 'client' ? pair.client : pair.upstream;
    from.sendClose();
    if (speaks) {
      const to = sender === 'client' ? pair.upstream : pair.client;
      expect(await to.expectClose()).toEqual({ code: 1005, reason: '' });
      to.sendClose();
    }
    expect(await from.expectClose()).toEqual({ code: 1005, reason: '' });
    expect(await pair.receiver.waitFor('closed')).toEqual(['closed', 1005, '']);
  });
});
