/**
 * Owns the answer to an upgrade request, and the client's wire until then: the 101 with what was agreed on, now or before its sender
 * is known, or a refusal. Refuses to decide which of them it is.
 */
import type { Refusal } from '../../actors/connection.effects.js';
import type { HeaderFields } from '../../receivers/index.js';
import type { Failure } from '../authentication/credentials.js';
import type { FirstMessagePort } from '../authentication/handshake-admission.js';
import { acceptanceHead, joinedFields, writeRefusal } from '../handshake/answer.js';
import type { DataPath } from '../paths/data-path.js';
import { FramesPath } from '../paths/frames-path.js';
import type { AgreedDeflate } from '../paths/message-writer.js';
import { MessagesPath } from '../paths/messages-path.js';
import { StreamPath } from '../paths/stream-path.js';
import { acceptOffer } from './deflate.js';
import { closeEarly, earlyAnswerTo } from './early-answer.js';
import { EarlyReader } from './early-reader.js';
import { FirstMessage } from './first-message.js';
import { type Greeting, type GreetingParts, toldToClient } from './greeting.js';
import type { EarlyAnswer, Plan } from './plan.js';
import type { UpstreamAnswer } from './upstream-shell.js';

/** The beginning of a WebSocket. */
export class WebSocketGreeting implements Greeting, FirstMessagePort {
  early: EarlyAnswer | undefined;
  subprotocol = '';
  head: string | undefined;
  readonly #parts: GreetingParts;
  readonly #key: string;
  /** What the 101 names when it names no other subprotocol: the marker of a token among those offered. */
  readonly #marker: string;
  #reader!: EarlyReader | FirstMessage;

  /**
   * @param key the `Sec-WebSocket-Key`.
   * @param marker empty for none.
   */
  constructor(parts: GreetingParts, key: string, marker: string) {
    this.#parts = parts;
    this.#key = key;
    this.#marker = marker;
    this.#readEarly();
  }

  accept(plan: Plan, answered: UpstreamAnswer | undefined, headers?: HeaderFields): DataPath {
    const deflate = this.#deflate(plan);
    this.subprotocol = plan.subprotocol ?? answered?.subprotocol ?? '';
    const extensions = plan.path === 'frames' ? (answered?.extensions ?? '') : (deflate?.extensions ?? '');
    this.#reader.finish();
    if (this.early === undefined) this.#writeAcceptance(extensions, joinedFields(plan.acceptance.headers, headers));
    return this.#createPath(plan, deflate?.deflate, extensions !== '');
  }

  refuse(refusal: Refusal): void {
    const { wire, services } = this.#parts;
    this.#reader.finish();
    if (this.early !== undefined) {
      const { rejectCode = 1008 } = services.config.authentication ?? {};
      const told = typeof refusal.body === 'string' ? refusal.body.trim() : toldToClient(refusal);
      closeEarly(wire, refusal, rejectCode, told);
      return;
    }
    const { status, statusText, headers, body } = refusal;
    writeRefusal(wire, { status, statusText, headers, body: body ?? `${toldToClient(refusal)}\n` });
  }

  /** Writes the 101 and waits for a text message; the connection is not open before its sender is known. */
  awaitFirstMessage(message: (text: string) => void, broken: (failure: Failure) => void): void {
    const { connection, services, wire } = this.#parts;
    const answer = earlyAnswerTo(connection.request, services.config);
    if ('error' in answer) {
      broken(answer);
      return;
    }
    this.#reader.finish();
    this.subprotocol = answer.subprotocol;
    this.early = answer;
    this.#writeAcceptance('', undefined);
    this.#reader = new FirstMessage(wire, {
      onFirstText: (text) => {
        this.#readEarly();
        message(text);
      },
      onBroken: (error, why) => broken({ error, message: why, offence: error === 'INVALID_CREDENTIALS' }),
      onGone: () => {
        connection.onClosed(1006, '');
        broken({ error: 'DOWNSTREAM_GONE', message: 'the client left', offence: false });
      },
    });
  }

  #readEarly(): void {
    const { connection, services, wire } = this.#parts;
    const { config, links } = services;
    const bound = config.limits.highWaterMark;
    this.#reader = new EarlyReader(wire, bound, links.budget, () => connection.onClosed(1006, ''));
  }

  #writeAcceptance(extensions: string, headers: HeaderFields | undefined): void {
    const head = acceptanceHead({
      key: this.#key,
      subprotocol: this.subprotocol === '' ? this.#marker : this.subprotocol,
      extensions,
      headers,
    });
    this.head = head;
    this.#parts.wire.write(Buffer.from(head, 'latin1'));
  }

  #deflate(plan: Plan): { deflate: AgreedDeflate; extensions: string } | undefined {
    const { connection, services } = this.#parts;
    const { compression, limits } = services.config;
    if (plan.path !== 'messages' || compression === false || this.early !== undefined) return undefined;
    return acceptOffer(connection.request, compression, limits.maxMessageBytes);
  }

  #createPath(plan: Plan, deflate: AgreedDeflate | undefined, compression: boolean): DataPath {
    const { connection, wire } = this.#parts;
    const { config, links: services } = this.#parts.services;
    const { limits, frameType, fragments } = config;
    if (plan.path === 'frames') return new FramesPath({ connection, wire, services, limits, compression });
    if (plan.path === 'messages') {
      const { receiver } = connection;
      return new MessagesPath({ connection, wire, services, limits, deflate, frameType, fragments, receiver });
    }
    return new StreamPath({ connection, wire, services, limits, frameType });
  }
}
