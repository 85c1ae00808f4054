/** Owns promise P11: reading certificates again touches no established connection, and none on its way. */
import { writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ConnectionOptions, connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TestAuthority } from '../support/authority.js';
import { waitForEvent } from '../support/events.js';
import { folderForTest } from '../support/folder.js';
import { requestBytes } from '../support/raw-client.js';
import { proxySetups, type Setup, Stage, type TargetEnd } from './setups.js';

const authority = new TestAuthority();
const one = authority.issue({ names: ['localhost'] });
const two = authority.issue({ names: ['localhost'] });
const CLIENT: ConnectionOptions = { ca: authority.cert, servername: 'localhost' };

/** A server with TLS whose certificate a test changes. */
class Renewing {
  readonly stage: Stage;
  readonly #folder: string;
  #isTwo = false;

  private constructor(stage: Stage, folder: string) {
    this.stage = stage;
    this.#folder = folder;
  }

  static async start(setup: Setup): Promise<Renewing> {
    const folder = folderForTest();
    write(folder, one);
    const tls = { cert: join(folder, 'a.pem'), key: join(folder, 'a.key'), watch: false };
    return new Renewing(await Stage.start(setup, { tls }), folder);
  }

  /** Changes the certificate for the other one, by way of one that cannot be used, and has it read. */
  renew(): void {
    const { server } = this.stage;
    write(this.#folder, { cert: 'nothing', key: 'nothing' });
    expect(server.reloadCertificates()).toMatchObject([{ result: 'kept' }]);
    this.#isTwo = !this.#isTwo;
    write(this.#folder, this.#isTwo ? two : one);
    expect(server.reloadCertificates()).toMatchObject([{ result: 'reloaded' }]);
  }

  get current(): string {
    return (this.#isTwo ? two : one).x509.fingerprint256;
  }
}

function write(folder: string, { cert, key }: { readonly cert: string; readonly key: string }): void {
  writeFileSync(join(folder, 'a.pem'), cert);
  writeFileSync(join(folder, 'a.key'), key);
}

const SIZE = 4000;
const ROUNDS = 25;
const EACH = 20;

/** Payloads that say which they are, from the first byte to the last. */
const payload = (round: number, n: number): Buffer =>
  Buffer.from(`${round}.${n} `.repeat(SIZE).slice(0, SIZE), 'latin1');

const EVERYTHING = Buffer.concat(
  Array.from({ length: ROUNDS }, (_, round) => Array.from({ length: EACH }, (__, n) => payload(round, n))).flat(),
);

describe.each(proxySetups)('P11: certificates are renewed on $name', (setup) => {
  it('P11: under traffic both ways, and nothing of it is lost, changed, or ended', async () => {
    const renewing = await Renewing.start(setup);
    const { stage } = renewing;
    const { client, target, receiver } = await stage.open({ tls: CLIENT });
    const arrived = Promise.all([target.read(EVERYTHING.length), fromTarget(client, EVERYTHING.length)]);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let n = 0; n < EACH; n += 1) {
        client.sendBinary(payload(round, n));
        target.send(payload(round, n));
        if (n === EACH >> 1) renewing.renew();
      }
      await nextTurn();
    }
    const [there, back] = await arrived;
    expect([there.equals(EVERYTHING), back.equals(EVERYTHING)]).toEqual([true, true]);
    expect(stage.told.reports).toEqual([]);
    expect(stage.told.exceptions).toEqual([]);
    expect(
      receiver.names.filter((name) => name !== 'binary' && name !== 'throttled' && name !== 'unthrottled'),
    ).toEqual(['upgrade', 'open']);
    const fresh = await shown(stage.port);
    expect(fresh).toBe(renewing.current);
    await endPolitely(client, target);
    expect(await stage.nextReport()).toMatchObject({ status: 1000 });
  });

  it('P11: in the middle of a TLS handshake and of a request, which go on', async () => {
    const renewing = await Renewing.start(setup);
    const { port } = renewing.stage;
    const waiting = connectTcp(port, '127.0.0.1');
    onTestFinished(() => void waiting.destroy());
    await waitForEvent(waiting, 'connect');
    const halfway = connect({ host: '127.0.0.1', port, ...CLIENT });
    onTestFinished(() => void halfway.destroy());
    await waitForEvent(halfway, 'secureConnect');
    const request = requestBytes({ port });
    halfway.write(request.subarray(0, 40));
    await nextTurn();
    renewing.renew();
    halfway.write(request.subarray(40));
    expect(String((await waitForEvent<[Buffer]>(halfway, 'data'))[0])).toMatch(/^HTTP\/1\.1 101/);
    const late = connect({ socket: waiting, ...CLIENT });
    await waitForEvent(late, 'secureConnect');
    // It was accepted before, so either will do.
    expect([one, two].map(({ x509 }) => x509.fingerprint256)).toContain(late.getPeerX509Certificate()?.fingerprint256);
  });
});

async function fromTarget(client: Awaited<ReturnType<Stage['openClient']>>, bytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let size = 0; size < bytes; ) {
    const { data } = await client.nextMessage();
    parts.push(data);
    size += data.length;
  }
  return Buffer.concat(parts);
}

async function endPolitely(client: Awaited<ReturnType<Stage['openClient']>>, target: TargetEnd): Promise<void> {
  client.sendClose(1000);
  await target.answer();
}

async function shown(port: number): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port, ...CLIENT });
  onTestFinished(() => void socket.destroy());
  await waitForEvent(socket, 'secureConnect');
  return socket.getPeerX509Certificate()?.fingerprint256;
}
