/** Owns some seconds of fuzzing of what needs no socket: frames, Close payloads, UTF-8, answers of proxies and configuration files. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Corpus } from './corpus.js';
import { fuzz } from './fuzz.js';
import { expectNoFinding } from './run-target.js';
import { close } from './targets/close.js';
import { config } from './targets/config.js';
import { firstBytes } from './targets/first-bytes.js';
import { head } from './targets/head.js';
import { proxyHeader } from './targets/proxy-header.js';
import { scanner } from './targets/scanner.js';
import { tunnel } from './targets/tunnel.js';
import { utf8 } from './targets/utf8.js';

it('frames are read as ws reads them, however the stream is cut', () => expectNoFinding(scanner, 3), 60_000);

it('the payload of a Close frame is read as ws reads it', () => expectNoFinding(close, 1), 30_000);

it('text in pieces is UTF-8 where TextDecoder says so', () => expectNoFinding(utf8, 1), 30_000);

it('a request head is refused or read as Node reads it, however it is cut', () => expectNoFinding(head, 1), 30_000);

it('a PROXY protocol header is read the same however it is cut', () => expectNoFinding(proxyHeader, 1), 30_000);

it('first bytes are told the same however they are cut', () => expectNoFinding(firstBytes, 1), 30_000);

it('whatever a SOCKS or HTTP proxy answers opens a tunnel, waits or fails', () => expectNoFinding(tunnel, 1), 30_000);

it('any text is a configuration or a list of problems', () => expectNoFinding(config, 2), 60_000);

it('a fault is found, made small and saved as a file of the corpus, which fails from then on', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tidegate-corpus-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const corpus = new Corpus(root, 'planted');
  const target = {
    name: 'planted',
    modules: [],
    mutators: [],
    run(input: Buffer) {
      if (input.includes(0xc1)) throw new Error('it cannot take 0xc1');
      return '';
    },
  };
  const first = await fuzz(target, { seed: 1, time: 2000, corpus });
  expect(first.found).toMatchObject([{ message: expect.stringContaining('it cannot take 0xc1') }]);
  const [name] = readdirSync(corpus.folder);
  expect(corpus.read()).toEqual([{ name, bytes: Buffer.from([0xc1]) }]);
  const second = await fuzz(target, { seed: 1, time: 0, corpus });
  expect(second).toMatchObject({ runs: 1, found: [{ file: name }] });
});
