/** Holds what the 101 names when a token came in a subprotocol: never the token, and always something a browser takes. */
import { expect, it } from 'vitest';
import type { ProxyServerOptions } from '../../../src/index.js';
import { SECRET, sign } from '../../support/tokens.js';
import { startEcho, startProxy, startReceivers, startUpstream } from '../stage.js';

const BEARER: ProxyServerOptions['authentication'] = { subprotocol: 'bearer', jwt: { secret: SECRET } };

it('it names the real subprotocol where there is one, and else the marker', async () => {
  const { handshake, server } = await startReceivers({ authentication: BEARER });
  const token = await sign();
  const named = async (...subprotocols: string[]) =>
    (await handshake({ subprotocols })).headers['sec-websocket-protocol'];
  expect(await named('bearer', token, 'chat', 'other')).toBe('chat');
  expect(await named('chat', 'bearer', token)).toBe('chat');
  expect(await named(`bearer.${token}`, 'chat')).toBe('chat');
  expect(await named('bearer', token)).toBe('bearer');
  // Nothing that was offered may be named here; a browser refuses that answer, and has to offer one more.
  expect(await named(`bearer.${token}`)).toBeUndefined();
  expect(server.connections.map(({ request }) => [...request.subprotocols])).toEqual([
    ['chat', 'other'],
    ['chat'],
    ['chat'],
    [],
    [],
  ]);
});

it('it names what the target chose, which is offered neither marker nor token; and the marker when it chose none', async () => {
  const target = await startUpstream({ subprotocol: 'chat' });
  const { open } = await startProxy({ target: target.url, authentication: BEARER });
  const token = await sign();
  const client = await open({ subprotocols: ['bearer', token, 'other', 'chat'] });
  expect(client.subprotocol).toBe('chat');
  expect((await target.nextConnection()).headers['sec-websocket-protocol']).toBe('other, chat');

  const silent = await startUpstream();
  const other = await startProxy({ target: silent.url, authentication: BEARER });
  expect((await other.open({ subprotocols: ['bearer', token] })).subprotocol).toBe('bearer');
  expect((await silent.nextConnection()).headers['sec-websocket-protocol']).toBeUndefined();
});

it('it names the marker when no subprotocol is to be chosen', async () => {
  const echo = await startEcho();
  const { open } = await startProxy({ target: echo.url, authentication: BEARER, noSubprotocol: 'omit' });
  expect((await open({ subprotocols: ['bearer', await sign(), 'chat'] })).subprotocol).toBe('bearer');
});
