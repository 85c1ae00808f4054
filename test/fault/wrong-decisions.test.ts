/** Owns applications that decide wrongly: nothing of it is injected into an answer, and each mistake is a 500 and an exception. */
import { describe, expect, it } from 'vitest';
import { accept, reject, TidegateError, type UpgradeAnswer } from '../../src/index.js';
import { RawClient } from '../support/raw-client.js';
import { RecordingReceiver } from '../support/recording-receiver.js';
import { openClient, startReceiverServer } from './running.js';

const INJECTED = 'a\r\nX-Injected: yes\r\n\r\nbody';

async function answered(decide: () => UpgradeAnswer | Promise<UpgradeAnswer>, subprotocols: string[] = []) {
  let first = true;
  const server = await startReceiverServer({
    receiver: () =>
      new RecordingReceiver({
        onUpgradeRequest: () => {
          if (!first) return true;
          first = false;
          return decide();
        },
      }),
  });
  const answer = await RawClient.handshake({ port: server.port, subprotocols });
  return { answer, server };
}

async function expectMistake(
  { answer, server }: Awaited<ReturnType<typeof answered>>,
  code: TidegateError['code'],
): Promise<void> {
  expect(answer.status).toBe(500);
  expect(answer.headers['x-injected']).toBe(undefined);
  expect(answer.client).toBe(undefined);
  const error = await server.exceptions.next();
  expect(error).toBeInstanceOf(TidegateError);
  expect((error as TidegateError).code).toBe(code);
  expect(await server.rejected.next()).toMatchObject({ status: 500, error: code });
  // P5: the next client is served.
  await openClient({ port: server.port });
}

describe.each([
  ['at once', (decide: () => UpgradeAnswer) => decide],
  ['later', (decide: () => UpgradeAnswer) => async () => decide()],
])('P5: an application that decides %s', (_when, wrap) => {
  it.each([
    ['a header value of accept()', () => accept({ headers: { 'X-Name': INJECTED } })],
    ['a header value in a list', () => accept({ headers: { 'X-Name': ['fine', INJECTED] } })],
    ['a header name of accept()', () => accept({ headers: { [`X-Name: ${INJECTED}`]: 'x' } })],
    ['a bare line feed', () => accept({ headers: { 'X-Name': 'a\nX-Injected: yes' } })],
    ['the subprotocol of accept()', () => accept({ subprotocol: INJECTED })],
    ['a header value of reject()', () => reject(403, { headers: { 'X-Name': INJECTED } })],
    ['a header name of reject()', () => reject(403, { headers: { [`X-Name: ${INJECTED}`]: 'x' } })],
    ['an acceptance made by hand', (): UpgradeAnswer => ({ kind: 'accept', headers: { 'X-Name': INJECTED } })],
    ['a subprotocol made by hand', (): UpgradeAnswer => ({ kind: 'accept', subprotocol: INJECTED })],
    [
      'a rejection made by hand',
      (): UpgradeAnswer => ({ kind: 'reject', status: 403, headers: { 'X-Name': INJECTED } }),
    ],
  ])('with CR and LF in %s answers 500, and INVALID_HEADER is an exception', async (_what, decide) => {
    await expectMistake(await answered(wrap(decide)), 'INVALID_HEADER');
  });

  it.each([101, 100, 199, 600, 0, -1, 404.5, Number.NaN])('with reject(%s) answers 500', async (status) => {
    await expectMistake(await answered(wrap(() => reject(status))), 'INVALID_STATUS');
  });

  it.each([101, 99, 600])('with a rejection of %s made by hand answers 500', async (status) => {
    await expectMistake(await answered(wrap(() => ({ kind: 'reject', status }))), 'INVALID_STATUS');
  });

  it('with a subprotocol that was not offered answers 500', async () => {
    const outcome = await answered(
      wrap(() => accept({ subprotocol: 'mqtt' })),
      ['chat'],
    );
    await expectMistake(outcome, 'SUBPROTOCOL_NOT_OFFERED');
  });

  it('with a target that is none answers 500', async () => {
    await expectMistake(await answered(wrap(() => accept({ target: 'http://127.0.0.1:1' }))), 'INVALID_TARGET');
  });

  it.each([[null], [42], ['yes'], [{}], [{ kind: 'maybe' }]])(
    'with %j, which is no decision, answers 500',
    async (value) => {
      await expectMistake(await answered(wrap(() => value as unknown as UpgradeAnswer)), 'INVALID_DECISION');
    },
  );
});

describe('what the application may say', () => {
  it('a rejection with status, headers and body reaches the client as given', async () => {
    const { answer, server } = await answered(() =>
      reject(401, { headers: { 'WWW-Authenticate': 'Bearer', 'X-List': ['a', 'b'] }, body: 'come with a token' }),
    );
    expect(answer).toMatchObject({ status: 401, body: 'come with a token' });
    expect(answer.headers).toMatchObject({ 'www-authenticate': 'Bearer', 'x-list': 'a, b', connection: 'close' });
    expect(server.exceptions.all).toEqual([]);
  });

  it('headers that frame the answer are ours: a Content-Length of the application does not count', async () => {
    const { answer } = await answered(() =>
      reject(403, { headers: { 'Content-Length': '9999', 'Transfer-Encoding': 'chunked' }, body: 'no' }),
    );
    expect(answer).toMatchObject({ status: 403, body: 'no' });
    expect(answer.headers['transfer-encoding']).toBe(undefined);
  });

  it('headers of the handshake itself are ours in a 101', async () => {
    const { answer } = await answered(() =>
      accept({ headers: { 'Sec-WebSocket-Accept': 'mine', Connection: 'close', 'X-Served-By': 'tide' } }),
    );
    expect(answer.acceptIsRight).toBe(true);
    expect(answer.headers).toMatchObject({ connection: 'Upgrade', 'x-served-by': 'tide' });
    answer.client?.destroy();
  });

  it('P4: a close reason may hold any text, and is cut at a character to 123 bytes', async () => {
    const server = await startReceiverServer({
      receiver: () =>
        new RecordingReceiver({
          onOpen: (_request, { connection }) => connection.close(4000, '\r\n\u{1f30a}'.repeat(50)),
        }),
    });
    const client = await openClient({ port: server.port });
    const { code, reason } = await client.answerClose();
    expect({ code, reason }).toEqual({ code: 4000, reason: `${'\r\n\u{1f30a}'.repeat(20)}\r\n` });
  });
});
