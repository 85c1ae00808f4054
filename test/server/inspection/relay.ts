/** Owns the relay of `@statelyai/inspect` for a test, and a client that reads what its page would get. Refuses to judge it. */
import { createInspectorServer } from '@statelyai/inspect/server';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { ActorFrame, Frame } from '../../../src/server/inspection/frames.js';
import { WaitingLine, waitForEvent } from '../../support/events.js';
import { refusedPort } from '../../support/tcp-peer.js';

/** A relay that runs. */
export interface Relay {
  readonly port: number;
  readonly url: string;
}

/** Starts a relay as the guide does, which opens no browser. */
export async function startRelay(): Promise<Relay> {
  const port = await refusedPort();
  const server = createInspectorServer({ port, autoOpen: false });
  onTestFinished(() => server.stop());
  return { port, url: `ws://localhost:${port}` };
}

/** What the page of a relay gets from when it is opened. Closed with the test. */
export class RelayPage {
  readonly frames: Frame[] = [];
  readonly #line = new WaitingLine();

  static async open(url: string): Promise<RelayPage> {
    const page = new RelayPage();
    const socket = new WebSocket(url);
    onTestFinished(() => socket.terminate());
    socket.on('message', (data) => {
      page.frames.push(JSON.parse(String(data)) as Frame);
      page.#line.notify();
    });
    await waitForEvent(socket, 'open');
    return page;
  }

  /** Resolves with the first frame, of those there are and those to come, that is meant. */
  find<Found extends Frame = Frame>(isMeant: (frame: Frame) => boolean): Promise<Found> {
    return this.#line.until(
      () => this.frames.find(isMeant) as Found | undefined,
      () => undefined,
    );
  }

  /** Resolves with the frame that tells of an actor. */
  actor(name: string): Promise<ActorFrame> {
    return this.find<ActorFrame>((frame) => frame.type === '@xstate.actor' && frame.name === name);
  }

  /** Resolves when an actor is told to be in a state, by a part of its value. */
  async state({ sessionId }: ActorFrame, part: string): Promise<Frame> {
    return this.find(
      (frame) =>
        frame.type === '@xstate.snapshot' &&
        frame.sessionId === sessionId &&
        JSON.stringify(frame.snapshot.value).includes(part),
    );
  }
}
