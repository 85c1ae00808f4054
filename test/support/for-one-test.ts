/** Owns peers that live as long as the test that started them. Refuses to know the servers under test. */
import { onTestFinished } from 'vitest';
import { RawClient, type RawClientOptions } from './raw-client.js';
import { RawUpstream, type RawUpstreamOptions } from './raw-upstream.js';
import { connectTcp, type DialOptions, type TcpConnection } from './tcp-connection.js';
import { TcpPeer, type TcpPeerOptions } from './tcp-peer.js';

/** Starts a WebSocket target that sees single frames. */
export async function startUpstream(options: RawUpstreamOptions = {}): Promise<RawUpstream> {
  const upstream = await RawUpstream.start(options);
  onTestFinished(() => upstream.close());
  return upstream;
}

/** Starts a byte target. */
export async function startTcpPeer(options: TcpPeerOptions = {}): Promise<TcpPeer> {
  const peer = await TcpPeer.start(options);
  onTestFinished(() => peer.close());
  return peer;
}

/** Opens a client; rejects when it is refused. */
export async function openClient(options: RawClientOptions): Promise<RawClient> {
  const client = await RawClient.open(options);
  onTestFinished(() => client.destroy());
  return client;
}

/** Opens a byte connection. */
export async function openTcp(options: DialOptions): Promise<TcpConnection> {
  const connection = await connectTcp(options);
  onTestFinished(() => connection.destroy());
  return connection;
}
