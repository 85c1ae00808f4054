/**
 * Owns the way of an upgrade request into the server: validated, its Origin judged, its credentials taken out of it, then given an
 * actor, or refused. Refuses to listen, and to decide what a valid request gets; admission and the receiver do.
 */
import { hasRoom } from '../../actors/capacity.js';
import type { ConnectionTimeouts, Refusal } from '../../actors/connection.effects.js';
import { ConnectionActor } from '../../actors/connection-actor.js';
import { checkUpgrade } from '../../protocol/handshake.js';
import type { RequestHead } from '../../protocol/http-head.js';
import {
  describeError,
  ERRORS,
  httpStatusOf,
  type LifecycleReceiver,
  TidegateError,
  type UpgradeRequest,
} from '../../receivers/index.js';
import { OFFENCES } from '../admission/offences.js';
import type { Authentication } from '../authentication/authentication.js';
import type { Credentials } from '../authentication/credentials.js';
import {
  type AuthenticationPorts,
  type FirstMessagePort,
  HandshakeAdmission,
} from '../authentication/handshake-admission.js';
import { present } from '../authentication/presented.js';
import { SessionEndpoint } from '../authentication/session-endpoint.js';
import type { ListenerRole } from '../config/listen.js';
import type { RejectedUpgrade } from '../events.js';
import { writeRefusal } from '../handshake/answer.js';
import { DecisionSignal } from '../handshake/decision-signal.js';
import { lingerAndTerminate } from '../handshake/linger.js';
import { TcpRequest } from '../handshake/tcp-request.js';
import { createUpgradeRequest, type ParsedUpgradeRequest } from '../handshake/upgrade-request.js';
import type { ServerExtension } from '../server-extension.js';
import type { AcceptedWire } from '../wires/wire.js';
import type { ConnectionServices } from './connection-services.js';
import { DownstreamShell } from './downstream-shell.js';
import type { Greeting, GreetingParts } from './greeting.js';
import { PlainAnswers } from './plain-answers.js';
import { TcpGreeting } from './tcp-greeting.js';
import { WebSocketGreeting } from './websocket-greeting.js';

/** Makes the receiver of one connection. Called once for each request that nothing else refused; a throw answers 500. */
export type ReceiverFactory = (request: UpgradeRequest) => LifecycleReceiver;

/** What an entrance needs. */
export interface EntranceOptions {
  readonly services: ConnectionServices;
  readonly authentication: Authentication;
  /** Who is told about users and wrong credentials. */
  readonly ports: AuthenticationPorts;
  readonly createReceiver: ReceiverFactory;
  /** What this kind of server adds. */
  readonly extension: ServerExtension | undefined;
  nextId(): string;
  rejected(rejected: RejectedUpgrade): void;
}

/** A request without its credentials, and those. */
interface Arrival {
  readonly head: RequestHead;
  readonly wire: AcceptedWire;
  readonly credentials: Credentials | undefined;
  readonly marker: string;
}

/** Answers a request that asks for no WebSocket. */
type AnswerPlain = (request: ParsedUpgradeRequest) => void;

/** What a connection begins with. */
interface Entry<Kind extends Greeting> {
  readonly wire: AcceptedWire;
  readonly request: ParsedUpgradeRequest | TcpRequest;
  readonly decision: DecisionSignal;
  readonly credentials: Credentials | undefined;
  /** Milliseconds of the handshake's deadline that are gone. */
  readonly waited: number;
  readonly role: ListenerRole;
  greet(parts: GreetingParts): Kind;
}

/** Where clients come in. */
export class Entrance {
  readonly #options: EntranceOptions;
  readonly #endpoint: SessionEndpoint | undefined;
  readonly #plainAnswers: PlainAnswers;
  /** Of control channels: whole messages as they are, whatever clients get. */
  readonly #controlServices: ConnectionServices;

  constructor(options: EntranceOptions) {
    this.#options = options;
    const { services } = options;
    this.#controlServices = { ...services, config: { ...services.config, fragments: 'buffer', compression: false } };
    const { authenticator, origins } = options.authentication;
    this.#plainAnswers = new PlainAnswers(options);
    if (authenticator?.sessions === undefined) return;
    this.#endpoint = new SessionEndpoint({
      authenticator,
      origins,
      refused: (request, { status }, { error, message, offence }) => {
        if (offence) options.ports.offence(request, OFFENCES.failedAuthentication, error);
        const { remoteAddress, path } = request;
        options.rejected({ error, status, message, remoteAddress, path });
      },
    });
  }

  /**
   * Takes a request and the wire it came by, which is not read.
   *
   * @param waited milliseconds of the handshake's deadline that its head took.
   */
  take(head: RequestHead, wire: AcceptedWire, waited = 0): void {
    const arrival = this.#arrive(head, wire);
    const upgrade = checkUpgrade(arrival.head);
    const role = this.#roleOf(arrival);
    const answer = 'error' in upgrade ? this.#plainAnswer(arrival, upgrade.error, role) : undefined;
    const fault = 'error' in upgrade && answer === undefined ? upgrade : undefined;
    const isPlain = fault?.error === 'NOT_AN_UPGRADE' && role === 'client';
    const full = isPlain && this.#options.extension?.takePlain !== undefined ? this.#capacityFor(role) : undefined;
    if (isPlain && full === undefined && this.#takesPlain(head, wire)) return;
    const refusal =
      full ??
      fault ??
      (role === 'client' ? this.#denyOrigin(arrival.head) : undefined) ??
      (answer === undefined ? this.#denyClient(role) : undefined) ??
      this.#capacityFor(role);
    if (refusal !== undefined) this.#refuse(arrival, refusal);
    else if ('key' in upgrade) this.#connect(arrival, upgrade.key, waited, role);
    else if (answer !== undefined) this.#answerPlain(arrival, answer);
  }

  /**
   * Takes a client that speaks plain TCP; its wire is not read.
   *
   * @param target where it goes, unless the receiver says otherwise. Default: that of the options.
   */
  takeBytes(wire: AcceptedWire, target: string | undefined): void {
    const role = wire.pass?.role ?? 'client';
    const refusal = this.#denyClient(role) ?? this.#capacityFor(role);
    if (refusal !== undefined) {
      this.#drop(wire, refusal);
      return;
    }
    const decision = new DecisionSignal();
    const request = new TcpRequest(wire, decision);
    const credentials = this.#options.authentication.authenticator?.certified(wire.tls);
    const greet = (parts: GreetingParts) => new TcpGreeting(parts, target);
    this.#begin({ wire, request, decision, credentials, waited: 0, role, greet });
  }

  /** Before anything else looks at a request: what it shows of itself from here on holds no secret. */
  #arrive(head: RequestHead, wire: AcceptedWire): Arrival {
    const { authenticator } = this.#options.authentication;
    if (authenticator === undefined) return { head, wire, credentials: undefined, marker: '' };
    const presented = present(head, authenticator.sources);
    const credentials = presented.credentials ?? authenticator.certified(wire.tls);
    return { head: presented.head, wire, credentials, marker: presented.marker };
  }

  /** Whether the server itself answers a request that asks for no WebSocket. */
  serves(raw: RequestHead, wire: AcceptedWire): boolean {
    const { head } = this.#arrive(raw, wire);
    return this.#endpoint?.serves(head) === true || this.#options.extension?.answersPlain?.(head) === true;
  }

  #takesPlain(head: RequestHead, wire: AcceptedWire): boolean {
    return this.#options.extension?.takePlain?.({ head, wire }) === true;
  }

  #denyOrigin({ rawHeaders }: RequestHead): Refusal | undefined {
    const message = this.#options.authentication.origins.problemOf(rawHeaders);
    return message === undefined ? undefined : { status: 403, error: 'ORIGIN_DENIED', message };
  }

  /** A control channel may come by a listener for clients: there it is known by its request. */
  #roleOf({ head, wire }: Arrival): ListenerRole {
    const role = wire.pass?.role ?? 'client';
    return this.#options.extension?.isControl?.(head, role) === true ? 'control' : role;
  }

  #denyClient(role: ListenerRole): Refusal | undefined {
    return role === 'client' ? this.#options.extension?.refusesClients : undefined;
  }

  /** Why there is no room for one more connection, or nothing. */
  #capacityFor(role: ListenerRole): Refusal | undefined {
    const { supervisor, links, config } = this.#options.services;
    const refusal = supervisor.admit(role) ?? this.#heldUp(role);
    if (refusal !== undefined || !links.budget.overloaded) return refusal;
    const message = `more than ${config.limits.maxHeldBytes} bytes are held for connections (limits.maxHeldBytes)`;
    return { status: 503, error: 'OVERLOADED', message };
  }

  /** Connections that are no actors take room, too. */
  #heldUp(role: ListenerRole): Refusal | undefined {
    const { supervisor, config } = this.#options.services;
    const held = this.#options.extension?.held ?? 0;
    const { size, controls } = supervisor.registry;
    const taken = size + held;
    if (held === 0 || hasRoom(config.limits, role, taken, controls)) return undefined;
    const message = `${taken} connections are open (limits.maxConnections: ${config.limits.maxConnections})`;
    return { status: 503, error: 'CAPACITY_REACHED', message };
  }

  #connect(arrival: Arrival, key: string, waited: number, role: ListenerRole): void {
    const { head, wire, marker, credentials } = arrival;
    const decision = new DecisionSignal();
    let request: ParsedUpgradeRequest;
    try {
      request = createUpgradeRequest(head, wire, decision);
    } catch (error) {
      this.#refuse(arrival, refusalFor(error));
      return;
    }
    const greet = (parts: GreetingParts) => new WebSocketGreeting(parts, key, marker);
    this.#begin({ wire, request, decision, credentials, waited, role, greet }, (greeting) => greeting);
  }

  /** @param hears who waits for a first message; left out where a client has none. */
  #begin<Kind extends Greeting>(
    { wire, request, decision, credentials, waited, role, greet }: Entry<Kind>,
    hears?: (greeting: Kind) => FirstMessagePort,
  ): void {
    const isControl = role === 'control' && this.#options.extension?.createControl !== undefined;
    const { nextId } = this.#options;
    const services = isControl ? this.#controlServices : this.#options.services;
    const { supervisor } = services;
    // A control channel has credentials of its own.
    const admission = isControl ? undefined : this.#admission(credentials, request, hears && (() => hears(greeting)));
    const connection = new ConnectionActor({
      id: nextId(),
      request,
      createReceiver: () => this.#createReceiver(request, isControl),
      admission,
      host: supervisor,
      parent: supervisor.ref,
      timeouts: waited > 0 ? shortened(supervisor.timeouts, waited) : undefined,
    });
    const greeting = greet({ connection, services, wire });
    connection.port = new DownstreamShell({ connection, services, request, wire, greeting, decision });
    supervisor.add(connection, role);
    connection.start();
  }

  #createReceiver(request: UpgradeRequest, isControl: boolean): LifecycleReceiver {
    const { createReceiver, extension } = this.#options;
    const application = () => createReceiver(request);
    const own = isControl ? extension?.createControl?.(request) : extension?.createReceiver?.(request, application);
    return own ?? application();
  }

  /** How a request that asks for no WebSocket is answered; undefined when nobody here answers it. */
  #plainAnswer({ head, wire, credentials }: Arrival, error: string, role: ListenerRole): AnswerPlain | undefined {
    const { extension } = this.#options;
    if (this.#endpoint?.serves(head) === true) {
      return (request) => this.#endpoint?.answer(request, credentials, wire);
    }
    if (role === 'control' || error !== 'NOT_AN_UPGRADE' || extension?.answersPlain?.(head) !== true) return undefined;
    const give = (asked: UpgradeRequest) => extension.answerPlain?.(asked) ?? Promise.resolve({ status: 404 });
    return (request) => this.#plainAnswers.answer(request, credentials, wire, give);
  }

  #answerPlain(arrival: Arrival, answer: AnswerPlain): void {
    try {
      answer(createUpgradeRequest(arrival.head, arrival.wire, new DecisionSignal()));
    } catch (error) {
      this.#refuse(arrival, refusalFor(error));
    }
  }

  #admission(
    credentials: Credentials | undefined,
    request: ParsedUpgradeRequest | TcpRequest,
    port: (() => FirstMessagePort) | undefined,
  ): HandshakeAdmission | undefined {
    const { authentication, ports } = this.#options;
    const { authenticator } = authentication;
    if (authenticator === undefined) return undefined;
    return new HandshakeAdmission({ authenticator, ports, request, port, credentials });
  }

  /** Refuses a client that no answer means anything to. */
  #drop(wire: AcceptedWire, { status, message, error }: Refusal): void {
    const { remoteAddress } = wire.pass?.peer ?? wire.addresses;
    lingerAndTerminate(wire);
    this.#options.rejected({ error, status, message, remoteAddress, path: undefined });
  }

  #refuse({ head, wire }: Arrival, refusal: Refusal): void {
    const { status, headers, message, error } = refusal;
    const { remoteAddress } = wire.pass?.peer ?? wire.addresses;
    // Whoever asked for no WebSocket has nothing to correct, and is mostly a person with a browser. How busy we are is not for strangers.
    const text = error === 'NOT_AN_UPGRADE' || status >= 500 ? ERRORS[error].help : message;
    writeRefusal(wire, { status, headers, body: head.method === 'HEAD' ? '' : `${text}\n` });
    this.#options.rejected({ error, status, message, remoteAddress, path: head.url.split('?', 1)[0] });
  }
}

/** One deadline from the first byte to the decision: what the head took of it is gone. */
function shortened(timeouts: ConnectionTimeouts, waited: number): ConnectionTimeouts {
  return { ...timeouts, handshake: Math.max(1, timeouts.handshake - waited) };
}

function refusalFor(error: unknown): Refusal {
  const code = error instanceof TidegateError ? error.code : 'BAD_HANDSHAKE';
  return { status: httpStatusOf(code), error: code, message: describeError(error) };
}
