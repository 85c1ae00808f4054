/**
 * Owns the terms of permessage-deflate as a test reads and writes them, and what RFC 7692 section 7.1 says of an answer to
 * an offer. Refuses to share a line with the implementation under test.
 */

/** One offer or answer. */
export interface Terms {
  readonly serverForgets: boolean;
  readonly clientForgets: boolean;
  readonly serverBits: number | undefined;
  /** `any`: the parameter without a value, which only an offer may have. */
  readonly clientBits: number | 'any' | undefined;
}

const BITS = [8, 9, 10, 11, 12, 13, 14, 15] as const;

/** Every offer there is, or every answer. */
export function allTerms(role: 'offer' | 'answer'): Terms[] {
  const clientBits = role === 'offer' ? ([undefined, 'any', ...BITS] as const) : ([undefined, ...BITS] as const);
  return [false, true].flatMap((serverForgets) =>
    [false, true].flatMap((clientForgets) =>
      [undefined, ...BITS].flatMap((serverBits) =>
        clientBits.map((bits) => ({ serverForgets, clientForgets, serverBits, clientBits: bits })),
      ),
    ),
  );
}

/** Writes terms as a header value. */
export function written({ serverForgets, clientForgets, serverBits, clientBits }: Terms): string {
  return [
    'permessage-deflate',
    ...(serverForgets ? ['server_no_context_takeover'] : []),
    ...(clientForgets ? ['client_no_context_takeover'] : []),
    ...(serverBits === undefined ? [] : [`server_max_window_bits=${serverBits}`]),
    ...(clientBits === undefined
      ? []
      : [clientBits === 'any' ? 'client_max_window_bits' : `client_max_window_bits=${clientBits}`]),
  ].join('; ');
}

/** Reads an answer. @throws Error for one that has not the form of RFC 7692 section 7.1. */
export function readAnswer(value: string): Terms {
  const [name, ...parameters] = value.split(';').map((part) => part.trim());
  if (name !== 'permessage-deflate') throw new Error(`${name} was agreed on`);
  const seen = new Map(parameters.map((parameter) => parameter.split('=') as [string, string | undefined]));
  if (seen.size !== parameters.length) throw new Error('a parameter came twice');
  const flag = (key: string): boolean => {
    const has = seen.has(key);
    if (has && seen.get(key) !== undefined) throw new Error(`${key} has a value`);
    seen.delete(key);
    return has;
  };
  const bits = (key: string): number | undefined => {
    const text = seen.get(key);
    if (seen.has(key) && !/^([89]|1[0-5])$/.test(text ?? '')) throw new Error(`${key} is ${text}`);
    seen.delete(key);
    return text === undefined ? undefined : Number(text);
  };
  const terms = {
    serverForgets: flag('server_no_context_takeover'),
    clientForgets: flag('client_no_context_takeover'),
    serverBits: bits('server_max_window_bits'),
    clientBits: bits('client_max_window_bits'),
  };
  if (seen.size > 0) throw new Error(`${[...seen.keys()]} is not defined`);
  return terms;
}

/** Says how an answer breaks the offer it belongs to; empty when it does not. */
export function breaches(offer: Terms, answer: Terms): string[] {
  const found: string[] = [];
  if (offer.serverForgets && !answer.serverForgets) found.push('7.1.1.1: the server does not forget its window');
  if (offer.serverBits !== undefined && !(answer.serverBits !== undefined && answer.serverBits <= offer.serverBits)) {
    found.push('7.1.2.1: the window of the server is not as small as asked for');
  }
  if (answer.clientBits !== undefined) {
    if (offer.clientBits === undefined) found.push('7.1.2.2: the client did not say that its window can be limited');
    else if (typeof offer.clientBits === 'number' && Number(answer.clientBits) > offer.clientBits) {
      found.push('7.1.2.2: the window of the client is larger than it offered');
    }
  }
  return found;
}
