/** Owns which connections are recorded without anybody asking for one. Refuses to record. */
import { AddressSet } from '../../protocol/address-set.js';
import type { Principal, UpgradeRequest } from '../../receivers/index.js';
import type { RecordingRule } from '../config/recording.js';

/** What a connection is judged by. */
export interface Judged {
  readonly request: Pick<UpgradeRequest, 'path' | 'remoteAddress'>;
  readonly principal: Principal | undefined;
}

/** The rules of one server. */
export class RecordingRules {
  readonly #rules: readonly { readonly rule: RecordingRule; readonly addresses: AddressSet | undefined }[];
  readonly #random: () => number;

  /** @param random from 0 to 1; for tests. */
  constructor(rules: readonly RecordingRule[], random: () => number = Math.random) {
    this.#random = random;
    this.#rules = rules.map((rule) => ({
      rule,
      addresses: rule.address === undefined ? undefined : new AddressSet([rule.address]),
    }));
  }

  /** Whether a connection is to be recorded: the first rule that fits decides, by chance where it is about a share. */
  choose({ request, principal }: Judged): boolean {
    for (const { rule, addresses } of this.#rules) {
      const { path, user, tag, sample } = rule;
      const fits =
        (path === undefined || fitsPattern(request.path, path)) &&
        (user === undefined || principal?.name === user) &&
        (tag === undefined || principal?.tags?.includes(tag) === true) &&
        (addresses === undefined || addresses.has(request.remoteAddress));
      if (fits) return this.#random() < sample;
    }
    return false;
  }
}

/** Whether a text is what a pattern says, in which `*` stands for any characters. In time that no text can make long. */
export function fitsPattern(text: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
