/** Owns GraphQL over WebSocket through both WebSocket paths: queries, subscriptions, cancelling, and its own close codes. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  execute,
  type GraphQLFieldConfig,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  parse,
  subscribe,
  validate,
} from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Deferred, deferred, waitForEvent } from '../support/events.js';
import { RecordingReceiver } from '../support/recording-receiver.js';
import { openClient, type RunningProxy, startProxy } from './stage.js';

/** Counts up to a number, or until its reader leaves; then it says so. */
async function* countTo(last: number, left: Deferred<void>): AsyncGenerator<{ count: number }> {
  try {
    for (let count = 1; count <= last; count += 1) {
      yield { count };
      // Gives the loop its turn, so that a client who has had enough is heard.
      await nextTurn();
    }
  } finally {
    left.resolve();
  }
}

function schemaWith(left: Deferred<void>): GraphQLSchema {
  const count: GraphQLFieldConfig<{ count: number }, unknown, { to: number }> = {
    type: new GraphQLNonNull(GraphQLInt),
    args: { to: { type: new GraphQLNonNull(GraphQLInt) } },
    subscribe: (_source, { to }) => countTo(to, left),
  };
  return new GraphQLSchema({
    query: new GraphQLObjectType({
      name: 'Query',
      fields: {
        echo: { type: GraphQLString, args: { text: { type: GraphQLString } }, resolve: (_, { text }) => text },
      },
    }),
    subscription: new GraphQLObjectType({ name: 'Subscription', fields: { count } }),
  });
}

interface Stage {
  readonly proxy: RunningProxy;
  /** Settles when the server was told that a subscription is over. */
  readonly left: Deferred<void>;
  connect(params?: Record<string, unknown>): Client;
}

async function stage(path: 'frames' | 'messages'): Promise<Stage> {
  const left = deferred();
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: (protocols) => protocols.has('graphql-transport-ws') && 'graphql-transport-ws',
  });
  const disposable = useServer(
    {
      // The functions of the module that made the schema: Vitest and Node.js may resolve to different copies of graphql.
      ...{ parse, validate, execute, subscribe },
      schema: schemaWith(left),
      onConnect: ({ connectionParams }) => connectionParams?.token !== 'wrong',
    },
    server,
  );
  onTestFinished(() => disposable.dispose());
  await waitForEvent(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const proxy = await startProxy({
    target: `ws://127.0.0.1:${port}/graphql`,
    ...(path === 'messages' ? { receiver: () => new RecordingReceiver() } : {}),
  });
  const connect = (connectionParams: Record<string, unknown> = {}): Client => {
    const client = createClient({ url: proxy.url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 });
    onTestFinished(() => client.dispose());
    return client;
  };
  return { proxy, left, connect };
}

describe.each(['frames', 'messages'] as const)('graphql-ws through the %s path', (path) => {
  it('answers a query over its subprotocol', async () => {
    const { connect, proxy } = await stage(path);
    const client = connect();
    const results = client.iterate<{ echo: string }>({ query: '{ echo(text: "hällo") }' });
    expect((await results.next()).value).toEqual({ data: { echo: 'hällo' } });
    const connection = await proxy.nextConnection();
    expect(connection.snapshot()).toMatchObject({ dataPath: path, subprotocol: 'graphql-transport-ws' });
  });

  it('streams a subscription to its end', async () => {
    const { connect } = await stage(path);
    const counted: unknown[] = [];
    for await (const { data } of connect().iterate({ query: 'subscription { count(to: 1000) }' })) {
      counted.push(data?.count);
    }
    expect(counted).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1));
  });

  it('tells the server when the client has had enough', async () => {
    const { connect, left } = await stage(path);
    const results = connect().iterate({ query: 'subscription { count(to: 1000000) }' });
    expect((await results.next()).value).toMatchObject({ data: { count: 1 } });
    await results.return?.();
    await left.promise;
  });

  it('tells the client the close codes of the protocol', async () => {
    const { connect, proxy } = await stage(path);
    const results = connect({ token: 'wrong' }).iterate({ query: '{ echo }' });
    await expect(results.next()).rejects.toMatchObject({ code: 4403, reason: 'Forbidden' });
    const client = await openClient(proxy.url, ['graphql-transport-ws']);
    client.socket.send('{"type":"subscribe","id":"1","payload":{"query":"{ echo }"}}');
    expect(await client.closed).toEqual({ code: 4401, reason: 'Unauthorized' });
  });
});
