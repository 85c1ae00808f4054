/** Owns the commands that ask a running server, over its real admin API: `tidegate explain` and `tidegate top`. */
import { PassThrough } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../src/server/cli/run-cli.js';
import type { TerminalStreams } from '../../src/server/cli/top/terminal.js';
import { isPrintable } from '../../src/server/telemetry/printable.js';
import { startEcho, startProxy, startReceivers } from '../server/stage.js';
import { WaitingLine } from '../support/events.js';
import { refusedPort } from '../support/tcp-peer.js';

const TOKEN = 'a-token-of-16-letters';

async function cli(argv: string[], env: Record<string, string> = {}, terminal?: TerminalStreams) {
  const out: string[] = [];
  const err: string[] = [];
  const stdout = { write: (text: string) => out.push(text) };
  const stderr = { write: (text: string) => err.push(text) };
  const code = await runCli(argv, { stdout, stderr, env, ...(terminal === undefined ? {} : { terminal }) });
  return { code, stdout: out.join(''), stderr: err.join('') };
}

async function stage() {
  const target = await startEcho();
  const running = await startProxy({ target: target.url, admin: { listen: '127.0.0.1:0', token: TOKEN } });
  const env = { TIDEGATE_ADMIN: running.server.adminUrl!, TIDEGATE_ADMIN_TOKEN: TOKEN };
  return { ...running, target, env };
}

describe('tidegate explain', () => {
  it('writes in words where a connection is, or everything as JSON', async () => {
    const { open, env } = await stage();
    await open({ path: '/vnc' });
    const { code, stdout, stderr } = await cli(['explain', 'conn-1'], env);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^conn-1 is open\. It is open, and nothing holds it up\.\n {2}client 127\.0\.0\.1:\d+, path \/vnc/,
    );
    expect(stdout).toContain('What happened last\n');
    const json = await cli(['explain', 'conn-1', '--json'], env);
    expect(JSON.parse(json.stdout)).toMatchObject({ id: 'conn-1', state: 'open' });
  });

  it('names ids like one that there is not, or how to find one', async () => {
    const { open, env, port } = await stage();
    expect((await cli(['explain', 'conn-7'], env)).stderr).toContain('There are no connections now.');
    await open({ port });
    const near = await cli(['explain', 'CONN'], env);
    expect([near.code, near.stderr]).toEqual([1, expect.stringContaining('Did you mean conn-1?')]);
    expect(near.stderr).toContain('there is no connection "CONN"');
    expect((await cli(['explain', 'xyz'], env)).stderr).toContain(
      'There are 1, such as conn-1; tidegate top lists them.',
    );
  });

  it('says what is wrong when there is no answer, or no right to one', async () => {
    const { env, server } = await stage();
    const wrong = await cli(['explain', 'conn-1', '--token', 'another-token-of-mine'], env);
    expect([wrong.code, wrong.stdout]).toEqual([1, '']);
    expect(wrong.stderr).toContain('The admin API wants the secret');
    const other = await cli(['explain', 'conn-1', '--server', 'chat'], env);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('server: got "chat"; expected one of')]);
    const nobody = await cli(['top'], { ...env, TIDEGATE_ADMIN: `127.0.0.1:${await refusedPort()}` });
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
    expect(nobody.stderr).toContain('Is the server running with an admin API');
    const misread = await cli(['explain', 'conn-1', '--admin', 'nowhere'], env);
    expect([misread.code, misread.stderr]).toEqual([2, expect.stringContaining('--admin: got "nowhere"; expected')]);
    const stranger = await cli(['explain', 'conn-1', '--admin', server.addresses[0]!.url.replace('ws', 'http')], env);
    expect([stranger.code, stranger.stderr]).toEqual([1, expect.stringContaining('is no admin API of Tidegate')]);
  });
});

describe('tidegate top', () => {
  it('writes one table where there is no terminal', async () => {
    const { open, env } = await stage();
    const client = await open();
    client.sendText('hello');
    await client.nextBinary();
    const { code, stdout } = await cli(['top', '--interval', '100ms'], env);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^tidegate top {2}http:\/\/127\.0\.0\.1:\d+ {2}proxy running {2}.*by bytes$/);
    expect(lines[1]).toMatch(/^connections 1 \(opened 1, closed 0\), held 0B/);
    expect(lines[3]).toMatch(/handshaking 0 {2}open 1 {2}throttled 0/);
    expect(lines[5]).toMatch(/^ID +USER +ADDRESS +TARGET +STATE +IN\/s\* +OUT\/s\* +MESSAGES +BUFFERED +RTT +AGE$/);
    expect(lines[6]).toMatch(/^conn-1 +- +127\.0\.0\.1:\d+ +tcp:/);
  });

  it('names what it takes for order, interval and number', async () => {
    const { code, stderr } = await cli(['top', '--sort', 'size', '--interval', '1ms', '--limit', '0']);
    expect(code).toBe(2);
    expect(stderr).toContain(
      '--sort: got "size"; expected one of bytes, messages, bufferedBytes, roundTripMs, openedAt',
    );
    expect(stderr).toContain('--interval: got "1ms"; expected a duration from 100ms to 1h');
    expect(stderr).toContain('--limit: got "0"; expected a whole number from 1 to 1000');
  });

  it('lets nothing that a client is called reach the terminal as it is', async () => {
    const { server, open } = await startReceivers({
      admin: { listen: '127.0.0.1:0' },
      authentication: {},
      onAuthentication: () => ({ scheme: 'Basic', name: 'eve\x1b[2J\x07\u009b31m\u202e' }),
    });
    await open({ headers: { Authorization: `Basic ${Buffer.from('eve:x').toString('base64')}` } });
    const env = { TIDEGATE_ADMIN: server.adminUrl! };
    for (const argv of [
      ['top', '--interval', '100ms'],
      ['explain', 'conn-1'],
    ]) {
      const { stdout } = await cli(argv, env);
      expect(stdout).toContain('eve\\x1b');
      expect(isPrintable(stdout.replaceAll('\n', ''))).toBe(true);
    }
  });
});

/** A terminal that keeps what was drawn; keys are what is written to its input. */
class FakeTerminal {
  readonly input = Object.assign(new PassThrough(), { setRawMode: (on: boolean) => this.modes.push(on) });
  readonly modes: boolean[] = [];
  readonly output = Object.assign(new PassThrough(), { columns: 100, rows: 12 });
  readonly #line = new WaitingLine();
  text = '';

  constructor() {
    this.output.on('data', (data: Buffer) => {
      this.text += data.toString();
      this.#line.notify();
    });
  }

  get streams(): TerminalStreams {
    return { input: this.input as unknown as ReadStream, output: this.output as unknown as WriteStream };
  }

  /** Waits for something to be drawn from now on, after a key was pressed. */
  async drawn(text: string, key?: string): Promise<void> {
    const from = this.text.length;
    if (key !== undefined) this.input.write(key);
    await this.#line.until(
      () => (this.text.includes(text, from) ? true : undefined),
      () => undefined,
    );
  }
}

describe('tidegate top on a terminal', () => {
  it('goes on until q, in another order by a key, explains what is chosen, and gives the terminal back', async () => {
    const { open, env } = await stage();
    await open();
    await open();
    const terminal = new FakeTerminal();
    const over = cli(['top', '--interval', '100ms', '--sort', 'openedAt'], env, terminal.streams);
    await terminal.drawn('\x1b[7mconn-2');
    expect(terminal.modes).toEqual([true]);
    expect(terminal.text.startsWith('\x1b[?1049h\x1b[?25l')).toBe(true);
    await terminal.drawn('\x1b[7mconn-1', '\x1b[B');
    await terminal.drawn('conn-1 is open.', '\r');
    await terminal.drawn('by openedAt', 'x');
    await terminal.drawn('by bufferedBytes', 'f');
    Object.assign(terminal.output, { columns: 60, rows: 9 });
    await terminal.drawn('connections 2');
    terminal.output.emit('resize');
    terminal.input.write('q');
    expect(await over).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(terminal.modes).toEqual([true, false]);
    expect(terminal.text.endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
    const frames = terminal.text.split('\x1b[H').slice(1);
    const last = stripVTControlCharacters(frames.at(-1)!);
    expect(last.split('\r\n').length).toBeLessThanOrEqual(12);
  });

  it('shows that the server is gone, and goes on when it is back', async () => {
    const { server, env } = await stage();
    const terminal = new FakeTerminal();
    const over = cli(['top', '--interval', '100ms'], env, terminal.streams);
    await terminal.drawn('proxy running');
    await server.stop({ drainTimeout: 0 });
    await terminal.drawn('nothing answers at');
    terminal.input.write('\x03');
    expect((await over).code).toBe(0);
    expect(terminal.modes).toEqual([true, false]);
  });
});
