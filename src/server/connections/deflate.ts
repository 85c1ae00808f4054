/**
 * Owns the negotiation of permessage-deflate (RFC 7692), where a hop of ours does it and where it passes through. Refuses
 * to compress; ws does.
 */
import type { UpgradeRequest } from '../../receivers/index.js';
import type { CompressionConfig } from '../config/compression.js';
import { extension, PerMessageDeflate } from '../handshake/ws-exports.js';
import type { AgreedDeflate } from '../paths/message-writer.js';

const NAME = 'permessage-deflate';

/** The parameters of one offer or answer; `true` for one without a value. */
type Parameters = Record<string, Array<string | true>>;

/** A window as RFC 7692 sections 7.1.2.1 and 7.1.2.2 want it written; ws reads `010`, `1e1` and `0xa` too. */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

/** The part of a client's offer that may pass to a WebSocket target: the extensions whose frames we understand. */
export function offerToPass(request: UpgradeRequest): string | undefined {
  const offers = request.extensions
    .filter((offered) => offered.name === NAME)
    .map((offered) => extension.format({ [NAME]: [offered.parameters] }));
  return offers.length === 0 ? undefined : offers.join(', ');
}

/** Accepts the first offer of a client that can be accepted, as the server of this hop; undefined when none can. */
export function acceptOffer(
  request: UpgradeRequest,
  config: CompressionConfig,
  maxMessageBytes: number,
): { deflate: AgreedDeflate; extensions: string } | undefined {
  const offers = request.extensions
    .filter((offered) => offered.name === NAME)
    .map((offered) => structuredClone(offered.parameters) as Parameters);
  if (offers.length === 0) return undefined;
  const engine = new PerMessageDeflate({ ...settings(config, maxMessageBytes), isServer: true });
  for (const offer of offers) {
    try {
      assertWindows(offer);
      const extensions = extension.format({ [NAME]: [engine.accept([offer])] });
      return { deflate: { engine, threshold: config.threshold }, extensions };
    } catch {
      // RFC 7692 section 5.1: an offer that cannot be accepted is declined, and the client's next one is looked at.
    }
  }
  return undefined;
}

/** Our own offer to a WebSocket target, as the client of this hop. */
export function ownOffer(
  config: CompressionConfig,
  maxMessageBytes: number,
): { offer: string; agree(answer: string): AgreedDeflate | undefined } {
  const engine = new PerMessageDeflate(settings(config, maxMessageBytes));
  return {
    offer: extension.format({ [NAME]: [engine.offer()] }),
    agree(answer) {
      if (answer === '') return undefined;
      engine.accept([agreedIn(answer)]);
      return { engine, threshold: config.threshold };
    },
  };
}

/**
 * Checks a target's answer to an offer that passed through. What else it may agree on with the client is for the client to judge.
 *
 * @throws Error that says which extension was not offered, or what is wrong with the one that was.
 */
export function assertAnswerToPass(answer: string): void {
  if (answer !== '') agreedIn(answer);
}

/** The parameters of permessage-deflate in an answer that may name nothing else, and that once (RFC 7692 section 5.1). */
function agreedIn(answer: string): Parameters {
  const { [NAME]: agreed = [], ...others } = extension.parse(answer) as Record<string, Parameters[]>;
  const [unasked] = Object.keys(others);
  if (unasked !== undefined) throw new Error(`"${unasked}" was not offered`);
  const [parameters] = agreed;
  if (parameters === undefined || agreed.length > 1) throw new Error(`"${NAME}" was accepted ${agreed.length} times`);
  assertWindows(parameters);
  return parameters;
}

function assertWindows(parameters: Parameters): void {
  for (const name of ['server_max_window_bits', 'client_max_window_bits']) {
    for (const value of parameters[name] ?? []) {
      if (value !== true && !WINDOW_BITS.test(value)) throw new Error(`${name} must be 8 to 15, got "${value}"`);
    }
  }
}

function settings(config: CompressionConfig, maxMessageBytes: number) {
  return {
    threshold: config.threshold,
    maxPayload: maxMessageBytes,
    // To ws, false means that the peer may not even ask for it; here it means that we do not.
    ...(config.clientNoContextTakeover ? { clientNoContextTakeover: true } : {}),
    ...(config.serverNoContextTakeover ? { serverNoContextTakeover: true } : {}),
    ...(config.maxWindowBits < 15 ? { serverMaxWindowBits: config.maxWindowBits } : {}),
    ...(config.level === undefined ? {} : { zlibDeflateOptions: { level: config.level } }),
  };
}
