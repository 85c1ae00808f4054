import { describe, expect, it } from 'vitest';
import { checkUpgradeResponse } from '../../../src/protocol/handshake.js';

const sent = { key: 'dGhlIHNhbXBsZSBub25jZQ==', subprotocols: ['chat', 'superchat'], extensionsOffered: true };
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const FIELDS = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': ACCEPT };

function answer(changes: Record<string, string | null> = {}, added: string[] = []) {
  const fields = Object.entries({ ...FIELDS, ...changes });
  const kept = fields.flatMap(([name, value]) => (value === null ? [] : [name, value]));
  return { statusCode: 101, rawHeaders: [...kept, ...added] };
}

describe('checkUpgradeResponse', () => {
  it('accepts a 101 that agrees on nothing', () => {
    expect(checkUpgradeResponse(answer(), sent)).toEqual({ subprotocol: '', extensions: '' });
  });

  it('accepts any case of the names and tokens, and other connection options', () => {
    const response = answer({ Upgrade: 'WebSocket', Connection: 'keep-alive, upgrade' });
    expect(checkUpgradeResponse(response, sent)).toEqual({ subprotocol: '', extensions: '' });
  });

  it('returns what was agreed on, extensions as they were sent', () => {
    const extensions = 'permessage-deflate; server_max_window_bits="10"';
    const response = answer({ 'Sec-WebSocket-Protocol': ' superchat ', 'Sec-WebSocket-Extensions': extensions });
    expect(checkUpgradeResponse(response, sent)).toEqual({ subprotocol: 'superchat', extensions });
  });

  it('joins extensions that came in several fields', () => {
    const response = answer({}, ['Sec-WebSocket-Extensions', 'a; x=1', 'sec-websocket-extensions', 'b']);
    expect(checkUpgradeResponse(response, sent)).toMatchObject({ extensions: 'a; x=1, b' });
  });

  it.each([
    ['another status', { ...answer(), statusCode: 200 }, 'status is 200'],
    ['no Upgrade', answer({ Upgrade: null }), 'Upgrade must be websocket, got none'],
    ['another Upgrade', answer({ Upgrade: 'h2c' }), 'got "h2c"'],
    ['a list in Upgrade', answer({ Upgrade: 'websocket, h2c' }), 'got "websocket, h2c"'],
    ['two Upgrades', answer({}, ['upgrade', 'websocket']), 'got "websocket" and "websocket"'],
    ['no Connection', answer({ Connection: null }), 'Connection must name upgrade, got none'],
    ['another Connection', answer({ Connection: 'close' }), 'got "close"'],
    ['no accept key', answer({ 'Sec-WebSocket-Accept': null }), `must be ${ACCEPT}, got none`],
    ['a wrong accept key', answer({ 'Sec-WebSocket-Accept': 'nope' }), `must be ${ACCEPT}, got "nope"`],
    ['an accept key in lower case', answer({ 'Sec-WebSocket-Accept': ACCEPT.toLowerCase() }), 'Sec-WebSocket-Accept'],
    ['two accept keys', answer({}, ['Sec-WebSocket-Accept', ACCEPT]), 'Sec-WebSocket-Accept'],
    ['a subprotocol nobody offered', answer({ 'Sec-WebSocket-Protocol': 'mqtt' }), '(chat, superchat), got "mqtt"'],
    ['a subprotocol in another case', answer({ 'Sec-WebSocket-Protocol': 'Chat' }), 'got "Chat"'],
    ['a list of subprotocols', answer({ 'Sec-WebSocket-Protocol': 'chat, superchat' }), 'got "chat, superchat"'],
    ['an empty subprotocol', answer({ 'Sec-WebSocket-Protocol': '' }), 'got ""'],
    [
      'two subprotocols',
      answer({}, ['Sec-WebSocket-Protocol', 'chat', 'Sec-WebSocket-Protocol', 'chat']),
      'must come once',
    ],
    ['an empty Content-Length', answer({ 'Content-Length': '' }), 'got Content-Length ""'],
    ['a Content-Length', answer({ 'Content-Length': '5' }), 'got Content-Length "5"'],
    ['a Transfer-Encoding', answer({ 'Transfer-Encoding': 'identity' }), 'got Transfer-Encoding "identity"'],
    [
      'two Content-Lengths',
      answer({}, ['Content-Length', '0', 'Content-Length', '0']),
      'got Content-Length "0" and "0"',
    ],
    [
      'a Content-Length beside a Transfer-Encoding',
      answer({ 'Content-Length': '0', 'Transfer-Encoding': 'chunked' }),
      'got Transfer-Encoding "chunked"',
    ],
  ])('refuses %s and says what it got', (_, response, message) => {
    expect(checkUpgradeResponse(response, sent)).toEqual({ message: expect.stringContaining(message) });
  });

  it('refuses a subprotocol or an extension when none was offered', () => {
    const nothing = { ...sent, subprotocols: [], extensionsOffered: false };
    expect(checkUpgradeResponse(answer({ 'Sec-WebSocket-Protocol': 'chat' }), nothing)).toEqual({
      message: expect.stringContaining('(none), got "chat"'),
    });
    expect(checkUpgradeResponse(answer({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }), nothing)).toEqual({
      message: expect.stringContaining('got "permessage-deflate"'),
    });
  });
});
