/**
 * Owns the proxies that tests dial through: small ones of our own that can be told what to answer, and real ones, found as
 * installed programs and ended with the test. Refuses to install anything; what is missing is said.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from './events.js';
import { connectTcp, refusedPort } from './tcp-peer.js';

/** A program that runs until the test has finished. */
export interface RunningProgram {
  readonly port: number;
}

/** The path of an installed program; servers are often in sbin, which not every PATH has. */
export function programPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Starts a program that listens on a port of 127.0.0.1, and resolves when something can connect there.
 *
 * @param argumentsFor its arguments; may write files into the folder, which is gone with the test.
 */
export async function startProgram(
  name: string,
  argumentsFor: (port: number, folder: string) => Promise<string[]> | string[],
): Promise<RunningProgram> {
  const path = programPath(name);
  if (path === undefined) throw new Error(`${name} is not installed; check programPath first`);
  const folder = await mkdtemp(join(tmpdir(), `tidegate-${name}-`));
  const port = await refusedPort();
  const child = spawn(path, await argumentsFor(port, folder), { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const exited = new Promise<void>((resolve) => {
    child.on('exit', () => resolve());
    child.on('error', () => resolve());
  });
  onTestFinished(async () => {
    if (isRunning(child)) child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  await eventually(async () => !isRunning(child) || (await listens(port)), `${name} listens`, { instead: () => said });
  if (!isRunning(child)) throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode}: ${said}`);
  return { port };
}

/** Writes a configuration file and gives its path. */
export async function configFile(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function listens(port: number): Promise<boolean> {
  const connection = await connectTcp({ port }).catch(() => undefined);
  connection?.destroy();
  return connection !== undefined;
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** What a proxy of our own was asked. */
export interface SmallProxy {
  readonly port: number;
  /** The targets it was asked for, such as `name:80`. */
  readonly asked: string[];
  /** The bytes of every request. */
  readonly requests: Buffer[];
}

/** Starts a CONNECT proxy that resolves names as it is told, and answers what it is told. */
export async function startConnectProxy(
  options: { resolve?: (host: string) => string; answer?: string; tls?: object; early?: string } = {},
): Promise<SmallProxy> {
  const asked: string[] = [];
  const requests: Buffer[] = [];
  const sockets = new Set<net.Socket>();
  const onSocket = (socket: net.Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (request: Buffer) => {
      requests.push(request);
      const [, host = '', port = ''] = /^CONNECT \[?([^\]\s]*?)\]?:(\d+) /.exec(request.toString('latin1')) ?? [];
      asked.push(`${host}:${port}`);
      if (options.answer !== undefined) {
        socket.end(options.answer);
        return;
      }
      const target = net.connect(Number(port), options.resolve?.(host) ?? host);
      sockets.add(target);
      target.on('error', () => socket.destroy());
      target.once('connect', () => {
        socket.write(`HTTP/1.1 200 OK\r\n\r\n${options.early ?? ''}`);
        socket.pipe(target).pipe(socket);
      });
    });
  };
  const { createServer } = await import('node:tls');
  const server = options.tls === undefined ? net.createServer(onSocket) : createServer(options.tls, onSocket);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as net.AddressInfo).port, asked, requests };
}
