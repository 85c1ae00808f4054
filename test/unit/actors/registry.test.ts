/** Owns which connections a registry knows and who is in its channels. A connection here is an actor that was never started. */
import { describe, expect, it } from 'vitest';
import { createActor, createMachine } from 'xstate';
import type { ConnectionHost } from '../../../src/actors/connection.host.js';
import { ConnectionActor } from '../../../src/actors/connection-actor.js';
import { Registry } from '../../../src/actors/registry.js';
import { ConnectionReceiver, type UpgradeRequest } from '../../../src/receivers/index.js';

const REQUEST: UpgradeRequest = {
  method: 'GET',
  url: '/',
  path: '/',
  query: new URLSearchParams(),
  headers: {},
  rawHeaders: [],
  host: 'localhost',
  origin: undefined,
  subprotocols: [],
  extensions: [],
  forwarded: undefined,
  remoteAddress: '127.0.0.1',
  remotePort: 1,
  localAddress: '127.0.0.1',
  localPort: 2,
  transport: 'websocket',
  peerAddress: '',
  tls: undefined,
  signal: new AbortController().signal,
};

/** A registry, and connections whose joining and leaving reach it as they do in a server. */
function create() {
  const registry = new Registry();
  const host: ConnectionHost<ConnectionActor> = {
    timeouts: { handshake: 0, close: 0, writeStall: 0 },
    maxPendingMessages: 1,
    opened() {},
    rejected() {},
    closed() {},
    exception() {},
    stepped() {},
    renewed() {},
    registry,
  };
  const connect = (id: string) => {
    const connection = new ConnectionActor({
      id,
      request: REQUEST,
      createReceiver: () => new ConnectionReceiver(),
      host,
      parent: createActor(createMachine({})),
    });
    registry.add(connection);
    return connection;
  };
  const members = (channel: string) => [...registry.members(channel)].map(({ id }) => id);
  return { registry, connect, members };
}

describe('the registry', () => {
  it('gives back the place of a connection that goes, once', () => {
    const { registry, connect } = create();
    const connection = connect('a');
    let released = 0;
    connection.seat = {
      release: () => {
        released += 1;
      },
    };
    expect(registry.remove(connection)).toBe(true);
    expect(registry.remove(connection)).toBe(false);
    expect(released).toBe(1);
  });

  it('knows a connection by its id until it is removed', () => {
    const { registry, connect } = create();
    const one = connect('one');
    const two = connect('two');
    expect(registry.size).toBe(2);
    expect(registry.get('one')).toBe(one);
    expect([...registry.all()]).toEqual([one, two]);
    expect(registry.remove(one)).toBe(true);
    expect(registry.get('one')).toBeUndefined();
    expect(registry.size).toBe(1);
  });

  it('tells that a connection was removed only once', () => {
    const { registry, connect } = create();
    const one = connect('one');
    expect(registry.remove(one)).toBe(true);
    expect(registry.remove(one)).toBe(false);
  });

  it('has no members in a channel that nobody joined', () => {
    expect(create().members('news')).toEqual([]);
  });

  it('has the members of each channel, each once, in the order they joined', () => {
    const { connect, members } = create();
    const [one, two] = [connect('one'), connect('two')];
    two.subscribe('news');
    one.subscribe('news');
    two.subscribe('news');
    one.subscribe('sport');
    expect(members('news')).toEqual(['two', 'one']);
    expect(members('sport')).toEqual(['one']);
    expect([...(one.channels ?? [])]).toEqual(['news', 'sport']);
  });

  it('forgets who left, and a channel with its last member', () => {
    const { connect, members } = create();
    const [one, two] = [connect('one'), connect('two')];
    for (const connection of [one, two]) connection.subscribe('news');
    one.unsubscribe('news');
    one.unsubscribe('news');
    one.unsubscribe('never joined');
    expect(members('news')).toEqual(['two']);
    two.unsubscribe('news');
    expect(members('news')).toEqual([]);
  });

  it('takes a connection that is removed out of all of its channels', () => {
    const { registry, connect, members } = create();
    const [one, two] = [connect('one'), connect('two')];
    for (const channel of ['news', 'sport', 'weather']) {
      one.subscribe(channel);
      two.subscribe(channel);
    }
    registry.remove(one);
    expect(['news', 'sport', 'weather'].map(members)).toEqual([['two'], ['two'], ['two']]);
  });
});
