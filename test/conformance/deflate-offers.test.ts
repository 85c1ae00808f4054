/** Owns the answer of a server to every offer of permessage-deflate, and that both keep to it (RFC 7692 sections 5 and 7.1). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Pair, Way, type WayName } from '../fault/way.js';
import { codecOf, hear, SAID, say } from './deflate-talk.js';
import { allTerms, breaches, readAnswer, type Terms, written } from './deflate-terms.js';
import { Expected } from './expected.js';

const SETTINGS = {
  default: { threshold: 0 },
  'windows kept': { threshold: 0, clientNoContextTakeover: false, serverNoContextTakeover: false },
  'small window': { threshold: 0, maxWindowBits: 10, serverNoContextTakeover: false },
} as const;
type SettingsName = keyof typeof SETTINGS;

const OFFERS = allTerms('offer');
const NONE = 'none';

function answerOf({ client }: Pair): string {
  return client.answer.headers['sec-websocket-extensions'] ?? NONE;
}

/** Offers whose parameters are not defined, or not of their form: they must be declined (RFC 7692 section 7.1). */
const WRONG = [
  'x_unknown',
  'x_unknown=1',
  'server_no_context_takeover=1',
  'client_no_context_takeover=true',
  'server_no_context_takeover; server_no_context_takeover',
  'server_max_window_bits',
  'server_max_window_bits=7',
  'server_max_window_bits=16',
  'server_max_window_bits=0',
  'server_max_window_bits=-10',
  'server_max_window_bits=010',
  'server_max_window_bits=1e1',
  'server_max_window_bits=0xa',
  'server_max_window_bits=10.0',
  'server_max_window_bits=ten',
  'server_max_window_bits=10; server_max_window_bits=10',
  'client_max_window_bits=7',
  'client_max_window_bits=16',
  'client_max_window_bits=08',
  'client_max_window_bits=1e1',
  'client_max_window_bits; client_max_window_bits=10',
].map((parameters) => `permessage-deflate; ${parameters}`);

/** Lists of which something can be accepted; the terms are those of the offer that is. */
const LISTS: readonly (readonly [list: string, offer: Partial<Terms>])[] = [
  ['x-unknown; level=3, permessage-deflate', {}],
  ['permessage-deflate, x-unknown', {}],
  ['permessage-deflate; server_max_window_bits="10"', { serverBits: 10 }],
  ['permessage-deflate;server_no_context_takeover', { serverForgets: true }],
  ['permessage-deflate; x_unknown, permessage-deflate', {}],
  ['permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=9', { serverBits: 9 }],
  ['permessage-deflate; server_max_window_bits=010, permessage-deflate; client_max_window_bits', { clientBits: 'any' }],
  ['permessage-deflate; server_no_context_takeover, permessage-deflate; x_unknown', { serverForgets: true }],
];

const NO_TERMS: Terms = { serverForgets: false, clientForgets: false, serverBits: undefined, clientBits: undefined };

async function start(name: WayName, settings: SettingsName): Promise<Way> {
  return Way.start(name, { server: { compression: SETTINGS[settings] } });
}

describe.each(Object.keys(SETTINGS) as SettingsName[])('with the settings "%s"', (settings) => {
  const expected = new Expected(`deflate-offers/${settings}`);
  let way: Way;
  beforeAll(async () => {
    way = await start('messages alone', settings);
  });
  afterAll(() => way.stop());

  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])(
    'every window is agreed on or declined, and kept (windows forgotten: server %s, client %s)',
    async (server, client) => {
      for (const offer of OFFERS) {
        if (offer.serverForgets !== server || offer.clientForgets !== client) continue;
        const pair = await way.open({ extensions: written(offer) });
        const answer = answerOf(pair);
        const checkedIn = expected.noted(written(offer), answer);
        if (answer !== NONE) {
          const terms = readAnswer(answer);
          expect(breaches(offer, terms), `${written(offer)} was answered ${answer}`).toEqual([]);
          await talk(pair, terms);
        }
        expect(answer, written(offer)).toBe(checkedIn);
        pair.client.destroy();
      }
    },
  );

  it('every expected answer belongs to an offer', () => {
    expect(expected.finish()).toEqual([]);
  });
});

async function talk({ client, receiver }: Pair, terms: Terms): Promise<void> {
  const codec = codecOf('client', terms);
  say(client, codec);
  for (const text of SAID) expect((await receiver.waitFor('text'))[1]).toBe(text);
  for (const text of SAID) receiver.connection.send(text);
  await hear(client, codec);
}

describe.each(['messages alone', 'messages to ws', 'messages to tcp'] as const)('on the way "%s"', (name) => {
  let way: Way;
  beforeAll(async () => {
    way = await start(name, 'windows kept');
  });
  afterAll(() => way.stop());

  it.each(WRONG)('the offer "%s" is declined, and the connection is made without it', async (extensions) => {
    const pair = await way.open({ extensions });
    expect(answerOf(pair)).toBe(NONE);
    pair.client.sendText('plain');
    expect(await pair.receiver.waitFor('text')).toEqual(['text', 'plain']);
  });

  it.each(LISTS)('of "%s" the first that is right is accepted', async (extensions, offer) => {
    const pair = await way.open({ extensions });
    const answer = answerOf(pair);
    const terms = readAnswer(answer);
    expect(breaches({ ...NO_TERMS, ...offer }, terms), answer).toEqual([]);
    say(pair.client, codecOf('client', terms));
    for (const text of SAID) expect((await pair.receiver.waitFor('text'))[1]).toBe(text);
  });
});

describe('where nothing is agreed on', () => {
  it.each([
    ['stream', true],
    ['messages alone', false],
    ['messages to ws', false],
    ['messages to tcp', false],
  ] as const)('on the way "%s", with the option compression %s, every offer is declined', async (name, compression) => {
    const way = await Way.start(name, { server: { compression } });
    try {
      for (const offer of OFFERS.filter((_, index) => index % 12 === 0)) {
        const pair = await way.open({ extensions: written(offer) });
        expect(answerOf(pair)).toBe(NONE);
        pair.client.destroy();
      }
    } finally {
      await way.stop();
    }
  });
});
