/**
 * Owns the negotiation of permessage-deflate (RFC 7692), where a hop of ours does it and where it passes through. Refuses
 * to compress; ws does.
 */
import type { UpgradeRequest } from '../../receivers/index.js';
import type { CompressionConfig } from '../config/compression.js';
import { extension, PerMessageDeflate } from '../handshake/ws-exports.js';
import type { AgreedDeflate } from '../paths/message-writer.js';

const NAME = 'permessage-deflate';

/** The part of a client's offer that may pass to a WebSocket target: the extensions whose frames we understand. */
export function offerToPass(request: UpgradeRequest): string | undefined {
  const offers = request.extensions
    .filter((offered) => offered.name === NAME)
    .map((offered) => extension.format({ [NAME]: [offered.parameters] }));
  return offers.length === 0 ? undefined : offers.join(', ');
}

/** Accepts a client's offer, as the server of this hop; undefined when it offered nothing we can accept. */
export function acceptOffer(
  request: UpgradeRequest,
  config: CompressionConfig,
  maxMessageBytes: number,
): { deflate: AgreedDeflate; extensions: string } | undefined {
  const offers = request.extensions
    .filter((offered) => offered.name === NAME)
    .map((offered) => structuredClone(offered.parameters) as Record<string, Array<string | true>>);
  if (offers.length === 0) return undefined;
  const engine = new PerMessageDeflate({ ...settings(config, maxMessageBytes), isServer: true });
  try {
    const agreed = engine.accept(offers);
    return { deflate: { engine, threshold: config.threshold }, extensions: extension.format({ [NAME]: [agreed] }) };
  } catch {
    // RFC 7692 section 5: an offer that cannot be accepted is declined, and the connection is made without it.
    return undefined;
  }
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
      const agreed = answer === '' ? undefined : extension.parse(answer)[NAME];
      if (agreed === undefined) return undefined;
      engine.accept(agreed);
      return { engine, threshold: config.threshold };
    },
  };
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
