/**
 * Owns what follows from an accepted upgrade request: the target, the data path and the subprotocol. Pure; refuses to
 * dial or to answer.
 */
import type { Refusal } from '../../actors/connection.effects.js';
import type { DialOrder } from '../../actors/connection.machine.js';
import {
  type Acceptance,
  assertHeaderFields,
  describeError,
  httpStatusOf,
  type LifecycleReceiver,
  readsMessages,
  TidegateError,
  type UpgradeRequest,
} from '../../receivers/index.js';
import type { ProxyConfig } from '../config/options.js';
import type { Dialer } from '../dial/dialer.js';
import { parseTarget, type Target } from '../dial/target.js';
import type { TargetGuard } from '../dial/target-guard.js';
import { chooseSubprotocol } from '../handshake/subprotocol.js';
import type { Rates } from '../shaping/paced-wire.js';
import { ratesFor } from '../shaping/rates.js';
import type { Routes } from './route.js';

/** How a connection will be carried out. */
export interface Plan {
  readonly dial: DialOrder;
  readonly target: Target | undefined;
  /** Whoever chooses the target when it is dialled; undefined when the plan names it, or there is none. */
  readonly routes: Routes | undefined;
  /** Judges the addresses of a target that the receiver chose. */
  readonly guard: TargetGuard | undefined;
  readonly path: 'frames' | 'stream' | 'messages' | 'bytes';
  /** What the client is answered; undefined when the target decides. */
  readonly subprotocol: string | undefined;
  /** What a WebSocket target is offered. */
  readonly subprotocolsToOffer: readonly string[];
  readonly acceptance: Acceptance;
  /** How fast it may be; undefined for as fast as it goes. */
  readonly rates: Rates | undefined;
  /** Whether the client has its 101, so that nothing can be agreed on with it any more. */
  readonly answered: boolean;
}

/** What plans are made by. */
export interface PlanServices {
  readonly config: ProxyConfig;
  readonly dialer: Pick<Dialer, 'guardFor'>;
  readonly needsTarget: boolean;
  readonly routes?: Routes | undefined;
}

/** What was settled with a client before there was a plan. */
export interface Settled {
  readonly early: EarlyAnswer | undefined;
  /** Where a client that speaks plain TCP was sent by whoever took it in. */
  readonly offeredTarget?: string | undefined;
}

/** What is agreed on with a client that had its 101 before there was a plan. */
export interface EarlyAnswer {
  readonly subprotocol: string;
}

const NOTHING: Settled = { early: undefined };

const NONE: readonly string[] = [];

/**
 * Plans a connection.
 *
 * @throws TidegateError when the application chose something that cannot be: `SUBPROTOCOL_NOT_OFFERED`,
 * `INVALID_TARGET`, `INVALID_HEADER`, `INVALID_OPTION`.
 */
export function planConnection(
  request: UpgradeRequest,
  acceptance: Acceptance,
  receiver: LifecycleReceiver,
  { config, dialer, needsTarget, routes: all }: PlanServices,
  { early, offeredTarget }: Settled = NOTHING,
): Plan | Refusal {
  // Checked by accept() already, but nobody has to use it.
  assertHeaderFields(acceptance.headers);
  const chosen = acceptance.target === undefined ? offeredTarget : acceptance.target;
  const routes = chosen === undefined ? all : undefined;
  const text = chosen === undefined ? config.target : (chosen ?? undefined);
  if (text === undefined && routes === undefined && needsTarget && chosen !== null) {
    return refusal('NO_TARGET', 'neither the option `target` nor onUpgradeRequest gave a target');
  }
  const target = text === undefined ? undefined : parseTarget(text);
  const guard = target === undefined ? undefined : dialer.guardFor(target);
  const denied = target === undefined ? undefined : denialOf(target, guard);
  if (denied !== undefined) return denied;
  const speaks = routes === undefined ? speechOf(target) : routes.speaks;
  const dial: DialOrder = speaks === undefined ? 'none' : config.connectUpstream;
  const rates = ratesFor(config.throttle, acceptance.throttle);
  const path = request.transport === 'tcp' ? pathOfBytes(speaks, receiver) : pathFor(speaks, receiver);
  const planned = (
    subprotocol: string | undefined,
    subprotocolsToOffer: readonly string[],
    answered = false,
  ): Plan => ({
    dial,
    target,
    routes,
    guard,
    path,
    subprotocol,
    subprotocolsToOffer,
    acceptance,
    rates,
    answered,
  });
  if (request.transport === 'tcp') return planned('', NONE);
  const offered = request.subprotocols;

  // A WebSocket target that is asked first makes the choice itself (RFC 6455 section 4.2.2), among what may be chosen.
  if (early === undefined && speaks === 'websocket' && dial === 'before-accept') {
    const named = acceptance.subprotocol;
    // An empty string chooses none.
    if (named !== undefined && named !== '' && !offered.includes(named)) throw notOffered(named, offered);
    const allowed = offered.filter((name) => config.subprotocols?.includes(name) ?? true);
    const subprotocolsToOffer = named === undefined ? allowed : [named].filter((name) => name !== '');
    return planned(named, subprotocolsToOffer);
  }
  if (early !== undefined) {
    const { subprotocol } = early;
    // The client knows one already; another one cannot be chosen any more.
    if ((acceptance.subprotocol ?? subprotocol) !== subprotocol) throw answeredAlready(subprotocol);
    const subprotocolsToOffer = subprotocol === '' ? [] : [subprotocol];
    return planned(subprotocol, subprotocolsToOffer, true);
  }
  const choice = chooseSubprotocol(offered, acceptance.subprotocol, config.subprotocols, config.noSubprotocol);
  if ('error' in choice) {
    if (choice.error === 'SUBPROTOCOL_NOT_OFFERED') throw notOffered(acceptance.subprotocol ?? '', offered);
    return refusal(choice.error, choice.message);
  }
  const { subprotocol } = choice;
  const subprotocolsToOffer = subprotocol === '' ? [] : [subprotocol];
  return planned(subprotocol, subprotocolsToOffer);
}

/** The application did nothing wrong by asking: a refusal, and no exception. */
function denialOf(target: Target, guard: TargetGuard | undefined): Refusal | undefined {
  try {
    guard?.checkTarget(target);
    return undefined;
  } catch (error) {
    return refusal('TARGET_DENIED', describeError(error));
  }
}

type Speech = Routes['speaks'];

function speechOf(target: Target | undefined): Speech | undefined {
  if (target === undefined) return undefined;
  return target.kind === 'websocket' ? 'websocket' : 'bytes';
}

function pathFor(speaks: Speech | undefined, receiver: LifecycleReceiver): Plan['path'] {
  if (speaks === undefined || readsMessages(receiver)) return 'messages';
  return speaks === 'websocket' ? 'frames' : 'stream';
}

/** For a client without frames. */
function pathOfBytes(speaks: Speech | undefined, receiver: LifecycleReceiver): Plan['path'] {
  return speaks === 'bytes' && !readsMessages(receiver) ? 'bytes' : 'messages';
}

function refusal(error: Refusal['error'], message: string): Refusal {
  return { status: httpStatusOf(error), error, message };
}

function answeredAlready(subprotocol: string): TidegateError {
  return new TidegateError(
    'INVALID_DECISION',
    `another subprotocol was chosen, but the client has its 101 with ${JSON.stringify(subprotocol)} (authentication.firstMessage)`,
  );
}

function notOffered(chosen: string, offered: readonly string[]): TidegateError {
  return new TidegateError(
    'SUBPROTOCOL_NOT_OFFERED',
    `the subprotocol ${JSON.stringify(chosen)} was chosen, but the client offered ${JSON.stringify(offered)}`,
  );
}
