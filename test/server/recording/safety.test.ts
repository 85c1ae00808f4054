/** Owns that recordings are safe to have: bounded, private, without secrets, out of reach of foreign names, and never in the way. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConnectionReceiver, type ProxyServerOptions } from '../../../src/index.js';
import { Deflation } from '../../conformance/deflate-codec.js';
import { Opcode } from '../../support/raw-client.js';
import { askAdmin } from '../admin/ask-admin.js';
import { startProxy, startReceivers, startUpstream } from '../stage.js';
import { framesOf, Tapes } from './stage.js';

class Echo extends ConnectionReceiver {
  override onText(text: string): void {
    this.connection.send(text);
  }
  override onBinary(data: Uint8Array): void {
    this.connection.send(data);
  }
}

async function echo(tapes: Tapes, recording: object, options: Partial<ProxyServerOptions> = {}) {
  const running = await startReceivers({
    receiver: () => new Echo(),
    ...options,
    recording: tapes.options({ rules: [{}], ...recording }),
  });
  tapes.listen(running.server);
  return running;
}

const textOf = (tapes: Tapes): string =>
  readdirSync(tapes.folder)
    .map((name) => readFileSync(join(tapes.folder, name), 'utf8'))
    .join('');

describe('a file of a recording', () => {
  it('is for its owner only, and shows no secret of the handshake', async () => {
    const tapes = new Tapes();
    const secrets = ['s3cret-auth', 's3cret-cookie', 's3cret-subprotocol', 's3cret-query', 's3cret-own', 's3cret-ref'];
    const { open } = await echo(tapes, { redactHeaders: ['X-Own'], redactQuery: ['mine'] });
    const client = await open({
      path: '/chat?room=7&access_token=s3cret-query&mine=s3cret-own',
      subprotocols: ['graphql-ws', 's3cret-subprotocol'],
      headers: {
        Authorization: 'Bearer s3cret-auth',
        Cookie: 'session=s3cret-cookie',
        'X-Own': 's3cret-own',
        Referer: 'https://example.org/?token=s3cret-ref',
      },
    });
    client.sendClose(1000);
    const { header } = await tapes.next();
    const text = textOf(tapes);
    for (const secret of secrets) expect(text).not.toContain(secret);
    expect(header.request.url).toBe('/chat?room=7&access_token=[redacted]&mine=[redacted]');
    expect(header.subprotocol).toBe('graphql-ws');
    const [name] = readdirSync(tapes.folder);
    expect(statSync(join(tapes.folder, name!)).mode & 0o777).toBe(0o600);
  });

  it('shows nothing of messages that a rule or the application blots out, however they are cut or compressed', async () => {
    const tapes = new Tapes();
    const upstream = await startUpstream({ extensions: 'permessage-deflate' });
    const hooked: string[] = [];
    const proxy = await startProxy({
      target: upstream.url,
      recording: tapes.options({ rules: [{}], redact: [{ pattern: 'pin=\\d+' }, { field: 'Password' }] }),
      redact: ({ kind, data }) => {
        hooked.push(kind);
        if (data.includes('drop me')) return null;
        return data.includes('throw') ? fail() : undefined;
      },
    });
    const fail = (): never => {
      throw new Error('of the hook');
    };
    tapes.listen(proxy.server);
    const client = await proxy.open({ extensions: 'permessage-deflate' });
    const target = await upstream.nextConnection();
    client.sendFrame({ opcode: Opcode.Text, payload: 'my pin=12', fin: false });
    client.sendFrame({ opcode: Opcode.Continuation, payload: '345 ok' });
    client.sendText('{"user":"ann","in":{"p\\u0061ssword":"hunter2"}}');
    client.sendBinary(Buffer.from('pin=777'));
    client.sendText('drop me: s3cret-dropped');
    client.sendText('throw: s3cret-thrown');
    const deflation = new Deflation(true);
    for (const text of ['pin=9999', 'pin=9999 again'])
      client.sendFrame({ opcode: Opcode.Text, payload: deflation.compress(Buffer.from(text)), rsv1: true });
    client.sendClose(4000, 'pin=4242');
    const { payload } = await target.nextFrame(Opcode.Close);
    target.sendFrame({ opcode: Opcode.Close, payload });
    target.end();
    const recording = await tapes.next();
    const text = textOf(tapes);
    for (const secret of ['12345', 'pin=12', 'hunter2', 's3cret', 'pin=7', '9999', '4242']) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret).toString('base64').slice(0, -4));
    }
    const shown = framesOf(recording).filter(({ from }) => from === 'client');
    expect(shown.map(({ text: one, missing, frames }) => [one, missing, frames])).toEqual([
      ['my [redacted] ok', undefined, 2],
      ['{"user":"ann","in":{"password":"[redacted]"}}', undefined, undefined],
      [undefined, undefined, undefined],
      [undefined, 'withheld', undefined],
      [undefined, 'withheld', undefined],
      ['[redacted]', undefined, undefined],
      ['[redacted] again', undefined, undefined],
      [undefined, undefined, undefined],
    ]);
    expect(hooked).toContain('control');
    expect(proxy.events.exceptions.all).toHaveLength(1);
  });

  it('has no payloads where they are off, only the beginning of large ones, and no control characters', async () => {
    const off = new Tapes();
    const first = await echo(off, { payloads: false });
    const client = await first.open();
    client.sendText('s3cret');
    await client.nextMessage();
    client.sendClose(1000);
    const frames = framesOf(await off.next());
    expect(frames.map(({ bytes, missing }) => [bytes, missing])).toEqual([
      [6, 'off'],
      [6, 'off'],
      [2, 'off'],
      [2, 'off'],
    ]);
    expect(textOf(off)).not.toContain('s3cret');

    const some = new Tapes();
    const second = await echo(some, { maxPayloadBytes: 8 });
    const other = await second.open({ path: '/%1b[2J' });
    other.sendText('\u001b[31m\u009b2J\u2028 long');
    await other.nextMessage();
    other.sendClose(1000, '\u009bevil\u202e');
    const [cut] = framesOf(await some.next());
    expect(cut).toMatchObject({ missing: 'rest', bytes: 17 });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    expect(textOf(some)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
  });
});

describe('recordings', () => {
  it('go on in another file when one is full, and the oldest files go; others in the folder stay', async () => {
    const tapes = new Tapes();
    writeFileSync(join(tapes.folder, 'mine.txt'), 'mine');
    const { open } = await echo(tapes, { maxFileBytes: 16_384, maxFiles: 3 });
    const client = await open();
    for (let count = 0; count < 40; count += 1) {
      client.sendText(String(count % 10).repeat(2000));
      await client.nextMessage();
    }
    client.sendClose(1000);
    await tapes.nextEnd();
    const names = readdirSync(tapes.folder).filter((name) => name.endsWith('.ndjson'));
    expect(names).toHaveLength(3);
    for (const name of names) expect(statSync(join(tapes.folder, name)).size).toBeLessThan(17_000);
    expect(readFileSync(join(tapes.folder, 'mine.txt'), 'utf8')).toBe('mine');
  });

  it('that the disk cannot follow leave payloads out and say how many; the connection has all of them', async () => {
    const tapes = new Tapes();
    const { open } = await echo(tapes, { bufferBytes: 4096 });
    const client = await open();
    const burst = Array.from({ length: 300 }, (_, index) =>
      client.encode({ opcode: 1, payload: `${index}`.repeat(50) }),
    );
    client.sendRaw(Buffer.concat(burst));
    for (let count = 0; count < 300; count += 1) await client.nextMessage();
    client.sendClose(1000);
    const { lines, end } = await tapes.next();
    const lost = lines.filter((line) => line.type === 'lost').reduce((sum, line) => sum + line.frames, 0);
    const kept = lines.filter((line) => line.type === 'frame').length;
    expect(lost).toBeGreaterThan(0);
    expect(lost + kept).toBe(602);
    expect(end?.report?.received.messages).toBe(300);
  });

  it('that cannot be written end with an event, and the connection goes on', async () => {
    const tapes = new Tapes();
    const folder = join(tapes.folder, 'inner');
    // A file where the folder should be.
    writeFileSync(folder, '');
    const { server, open } = await echo(tapes, { directory: folder });
    const client = await open();
    const report = await tapes.nextEnd();
    expect(report).toMatchObject({ state: 'failed', error: { code: 'RECORDING_FAILED' } });
    client.sendText('still here');
    expect((await client.nextMessage()).text).toBe('still here');
    // It can be had again, and then the file is removed while it is written.
    rmSync(folder);
    mkdirSync(folder);
    server.record(server.connections[0]!.id);
    await new Promise(setImmediate);
    client.sendText('and again');
    expect((await client.nextMessage()).text).toBe('and again');
    await expect.poll(() => readdirSync(folder)).toHaveLength(1);
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    expect(server.stopRecording(server.connections[0]!.id)).toBe(true);
    const removed = await tapes.nextEnd();
    expect(removed).toMatchObject({ state: 'failed', error: { message: expect.stringContaining('was removed') } });
  });

  it('are as many at a time as may be, and none without a folder', async () => {
    const tapes = new Tapes();
    const { server, open } = await echo(tapes, { rules: [{ path: '/a' }], maxRecordings: 1 });
    await open({ path: '/a' });
    await open({ path: '/a' });
    await open({ path: '/b' });
    expect(tapes.reports).toHaveLength(1);
    const last = server.connections.at(-1)!.id;
    expect(() => server.record(last)).toThrow(expect.objectContaining({ code: 'RECORDING_LIMIT' }));
    expect(() => server.record('conn-99')).toThrow(expect.objectContaining({ code: 'UNKNOWN_CONNECTION' }));
    const none = await startReceivers();
    await none.open();
    expect(() => none.server.record(none.server.connections[0]!.id)).toThrow(
      expect.objectContaining({ code: 'RECORDING_OFF' }),
    );
  });
});

describe('the admin API', () => {
  it('begins, lists, reads, exports and removes recordings, by names of recordings only', async () => {
    const tapes = new Tapes();
    const { server, open } = await echo(tapes, { rules: [] }, { admin: { listen: '127.0.0.1:0' } });
    const ask = (method: string, path: string, body?: object) => askAdmin(server.adminUrl!, { method, path, body });
    const client = await open();
    const { id } = server.connections[0]!;
    const begun = await ask('POST', `/api/v1/connections/${id}/record`, {});
    const { file } = begun.body as { file: string };
    expect(begun).toMatchObject({ status: 200, body: { id } });
    client.sendText('hello');
    await client.nextMessage();
    expect((await ask('DELETE', `/api/v1/recordings/${file}`)).status).toBe(409);
    const stopped = await ask('POST', `/api/v1/connections/${id}/record`, { record: false });
    expect(stopped.body).toEqual({ id, stopped: true });
    await tapes.nextEnd();
    const list = (await ask('GET', '/api/v1/recordings')).body as { recordings: { name: string; active: boolean }[] };
    expect(list).toMatchObject({ recordings: [{ name: file, active: false }], connections: [] });
    const read = await ask('GET', `/api/v1/recordings/${file}`);
    expect(read.text).toBe(readFileSync(join(tapes.folder, file), 'utf8'));
    const har = (await ask('GET', `/api/v1/recordings/${file}/har`)).body as { log: { entries: object[] } };
    expect(har.log.entries).toMatchObject([{ _webSocketMessages: [{ data: 'hello' }, { data: 'hello' }] }]);
    writeFileSync(join(tapes.folder, '..', 'outside.tidegate.ndjson'), '{}');
    const link = file.replace(/-[0-9a-f]{6}/, '-aaaaaa');
    symlinkSync('/etc/hostname', join(tapes.folder, link));
    const names = ['..%2Foutside.tidegate.ndjson', '..', '%2e%2e%2fetc%2fpasswd', `${file}%00`, 'x', '__proto__', link];
    for (const name of names) {
      expect([name, (await ask('GET', `/api/v1/recordings/${name}`)).status]).toEqual([name, 404]);
      expect([name, (await ask('GET', `/api/v1/recordings/${name}/har`)).status]).toEqual([name, 404]);
      if (name !== link) expect((await ask('DELETE', `/api/v1/recordings/${name}`)).status).toBe(404);
    }
    expect((await ask('POST', `/api/v1/connections/${id}/record`, { record: 'yes' })).status).toBe(400);
    expect((await ask('POST', '/api/v1/connections/nobody/record', {})).status).toBe(404);
    expect((await ask('DELETE', `/api/v1/recordings/${file}`)).status).toBe(200);
    expect((await ask('GET', `/api/v1/recordings/${file}`)).status).toBe(404);
    rmSync(join(tapes.folder, '..', 'outside.tidegate.ndjson'));
  });
});
