/** Owns what a proxy does with the answer of a WebSocket target to permessage-deflate, of its own offer and a client's. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Way } from '../fault/way.js';
import { RawClient } from '../support/raw-client.js';
import type { AcceptAnswer } from '../support/raw-upstream.js';
import { codecOf, hear, SAID, say } from './deflate-talk.js';
import { allTerms, written } from './deflate-terms.js';
import { Expected } from './expected.js';

const ANSWERS = allTerms('answer');

/** The answer without parameters. */
const KEPT = ANSWERS[0]!;

/** Answers that a client must fail the connection for (RFC 6455 section 4.1, RFC 7692 sections 5.2 and 7.1). */
const WRONG = [
  'permessage-deflate; x_unknown',
  'permessage-deflate; server_no_context_takeover=1',
  'permessage-deflate; client_no_context_takeover; client_no_context_takeover',
  'permessage-deflate; server_max_window_bits',
  'permessage-deflate; server_max_window_bits=7',
  'permessage-deflate; server_max_window_bits=16',
  'permessage-deflate; server_max_window_bits=010',
  'permessage-deflate; server_max_window_bits=1e1',
  'permessage-deflate; client_max_window_bits',
  'permessage-deflate; client_max_window_bits=7',
  'permessage-deflate; client_max_window_bits=16',
  'permessage-deflate; client_max_window_bits=0xa',
  'permessage-deflate, permessage-deflate',
  'permessage-deflate; server_no_context_takeover, permessage-deflate',
  'x-unknown',
  'permessage-deflate, x-unknown',
  'x-webkit-deflate-frame',
  'permessage-deflate; server_max_window_bits=',
  'permessage-deflate;;',
];

describe('on the path messages, to the offer of the proxy', () => {
  const expected = new Expected('deflate-answers/messages-to-ws');
  const answer: { extensions?: string } = {};
  let way: Way;
  beforeAll(async () => {
    const compression = { threshold: 0, clientNoContextTakeover: false, serverNoContextTakeover: false };
    way = await Way.start('messages to ws', {
      server: { compression },
      upstream: { onUpgrade: (_head, connection) => connection.accept(answer as AcceptAnswer) },
    });
  });
  afterAll(() => way.stop());

  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('every answer that is right is kept to (windows forgotten: server %s, client %s)', async (server, client) => {
    for (const terms of ANSWERS) {
      if (terms.serverForgets !== server || terms.clientForgets !== client) continue;
      answer.extensions = written(terms);
      const pair = await way.open();
      const offered = pair.upstream.headers['sec-websocket-extensions'] ?? 'nothing';
      const codec = codecOf('server', terms);
      for (const text of SAID) pair.client.sendText(text);
      await hear(pair.upstream, codec);
      say(pair.upstream, codec);
      for (const text of SAID) expect(await pair.client.nextText()).toBe(text);
      const result = `offered ${offered} | kept to`;
      expect(result).toBe(expected.noted(written(terms), result));
      pair.client.destroy();
    }
  });

  it('a target that does not say that it forgets its window, though it was asked to, is read as one that keeps it', async () => {
    const asking = await Way.start('messages to ws', {
      server: { compression: true },
      upstream: { extensions: 'permessage-deflate' },
    });
    try {
      const pair = await asking.open();
      expect(pair.upstream.headers['sec-websocket-extensions']).toContain('server_no_context_takeover');
      say(pair.upstream, codecOf('server', KEPT));
      for (const text of SAID) expect(await pair.client.nextText()).toBe(text);
    } finally {
      await asking.stop();
    }
  });

  it('a target that declines gets and sends plain messages, and must not set RSV1', async () => {
    answer.extensions = undefined;
    const pair = await way.open();
    pair.client.sendText('out');
    expect((await pair.upstream.nextMessage()).rsv1).toBe(false);
    pair.upstream.sendFrame({ opcode: 1, rsv1: true, payload: 'x' });
    expect((await pair.upstream.expectClose()).code).toBe(1002);
  });

  it.each(WRONG)('the answer "%s" fails the dial, and the client gets a 502', async (extensions) => {
    answer.extensions = extensions;
    const { status, client } = await RawClient.handshake({ port: way.running.port });
    client?.destroy();
    expect(status).toBe(502);
    expect((await way.running.rejected.next()).error).toBe('UPSTREAM_BAD_HANDSHAKE');
  });

  it('every expected result belongs to an answer', () => {
    expect(expected.finish()).toEqual([]);
  });
});

describe('on the path frames, where the offer of the client passes', () => {
  const answer: { extensions?: string } = {};
  let way: Way;
  beforeAll(async () => {
    way = await Way.start('frames', {
      upstream: { onUpgrade: (_head, connection) => connection.accept(answer as AcceptAnswer) },
    });
  });
  afterAll(() => way.stop());

  it('every offer and every answer cross as they are, and compressed messages with them', async () => {
    const offers = allTerms('offer');
    for (const [index, terms] of ANSWERS.entries()) {
      const offer = written(offers[(index * 7) % offers.length]!);
      answer.extensions = written(terms);
      const pair = await way.open({ extensions: offer });
      expect(pair.upstream.headers['sec-websocket-extensions']).toBe(offer);
      expect(pair.client.answer.headers['sec-websocket-extensions']).toBe(answer.extensions);
      const [client, server] = [codecOf('client', terms), codecOf('server', terms)];
      say(pair.client, client);
      await hear(pair.upstream, server);
      say(pair.upstream, server);
      await hear(pair.client, client);
      pair.client.destroy();
    }
  });

  it('what a target declines is declined toward the client, and RSV1 is a violation then', async () => {
    answer.extensions = undefined;
    const pair = await way.open({ extensions: 'permessage-deflate; client_max_window_bits' });
    expect(pair.client.answer.headers['sec-websocket-extensions']).toBe(undefined);
    pair.client.sendFrame({ opcode: 1, rsv1: true, payload: 'x' });
    expect((await pair.client.expectClose()).code).toBe(1002);
  });

  it('extensions that are not known are kept from the target', async () => {
    answer.extensions = undefined;
    const pair = await way.open({ extensions: 'x-unknown; a=1, permessage-deflate; client_max_window_bits' });
    expect(pair.upstream.headers['sec-websocket-extensions']).toBe('permessage-deflate; client_max_window_bits');
  });

  it('an answer to a client that offered nothing fails the dial', async () => {
    answer.extensions = 'permessage-deflate';
    const { status, client } = await RawClient.handshake({ port: way.running.port });
    onTestFinished(() => client?.destroy());
    expect(status).toBe(502);
  });
});
