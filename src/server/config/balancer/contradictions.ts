/** Owns which options of a balancer cannot stand together. Refuses to know what each one is. */
import type { z } from 'zod';
import { speechOf, speechOfUrl } from './speech.js';

/** The options that depend on others. */
interface Related {
  readonly backends: readonly { readonly url: string }[];
  readonly discovery: { readonly names: readonly string[] };
  readonly affinity: { readonly by: string };
  readonly control: {
    readonly path?: string | undefined;
    readonly tokens: readonly string[];
    readonly certificateNames?: readonly string[] | undefined;
  };
  readonly health: { readonly check: string };
  readonly drain: { readonly minDelay: number; readonly maxDelay: number };
  readonly connectUpstream: string;
  readonly mode: string;
}

/** What is wrong, where, and what would be right. */
interface Contradiction {
  readonly path: readonly PropertyKey[];
  readonly input: unknown;
  readonly message: string;
}

type Rule = (options: Related) => Contradiction | undefined;

const RULES: readonly Rule[] = [
  (options) => {
    const urls = options.backends.map(({ url }) => url);
    return oddOne(urls, ['backends'], options) ?? oddOne(options.discovery.names, ['discovery', 'names'], options);
  },
  ({ control: { path, tokens, certificateNames } }) => {
    if (path === undefined || tokens.length > 0 || certificateNames !== undefined) return undefined;
    const message =
      'expected it beside control.path: where clients connect, whoever may register decides where they are sent; certificateNames will do, too';
    return { path: ['control', 'tokens'], input: undefined, message };
  },
  (options) => {
    const { check } = options.health;
    if (speechOf(options) === 'websocket' || (check !== 'http' && check !== 'websocket')) return undefined;
    const message = "expected 'tcp' or 'off' beside backends that are tcp:, tls: or unix:";
    return { path: ['health', 'check'], input: check, message };
  },
  ({ drain: { minDelay, maxDelay } }) => {
    if (minDelay <= maxDelay) return undefined;
    const message = `expected at most drain.maxDelay, which is ${maxDelay} ms`;
    return { path: ['drain', 'minDelay'], input: minDelay, message };
  },
  ({ mode, connectUpstream }) => {
    if (mode !== 'redirect' || connectUpstream !== 'after-accept') return undefined;
    const message =
      "expected 'before-accept' beside mode 'redirect': a client that has its 101 cannot be sent elsewhere";
    return { path: ['connectUpstream'], input: connectUpstream, message };
  },
  ({ affinity: { by }, connectUpstream }) => {
    if (by !== 'cookie' || connectUpstream !== 'after-accept') return undefined;
    const message = "expected 'before-accept' beside affinity by cookie, which is set when the backend is known";
    return { path: ['connectUpstream'], input: connectUpstream, message };
  },
];

function oddOne(urls: readonly string[], path: readonly string[], options: Related): Contradiction | undefined {
  // What is no address at all comes here as it was given, and was told already.
  if (urls.some((url) => typeof url !== 'string')) return undefined;
  const odd = urls.findIndex((url) => speechOfUrl(url) !== speechOf(options));
  if (odd === -1) return undefined;
  const message = 'expected one that speaks what the first one speaks: all ws: and wss:, or all tcp:, tls: and unix:';
  return { path: [...path, odd], input: urls[odd], message };
}

/** Finds options that cannot stand together. For every schema that holds those of a balancer. */
export function refuseBalancerContradictions(options: Related, context: z.RefinementCtx): void {
  for (const rule of RULES) {
    const found = rule(options);
    if (found !== undefined) context.addIssue({ code: 'custom', ...found, path: [...found.path] });
  }
}
