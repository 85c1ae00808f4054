/** Owns the list of what can be fuzzed, by name. */
import type { FuzzTarget } from './fuzz.js';
import { close } from './targets/close.js';
import { config } from './targets/config.js';
import { firstBytes } from './targets/first-bytes.js';
import { handshake } from './targets/handshake.js';
import { head } from './targets/head.js';
import { proxyHeader } from './targets/proxy-header.js';
import { scanner } from './targets/scanner.js';
import { tunnel } from './targets/tunnel.js';
import { upstreamAnswer } from './targets/upstream-answer.js';
import { utf8 } from './targets/utf8.js';

export const TARGETS: readonly FuzzTarget[] = [
  scanner,
  close,
  utf8,
  head,
  handshake,
  upstreamAnswer,
  proxyHeader,
  firstBytes,
  tunnel,
  config,
];
