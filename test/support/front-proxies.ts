/** Owns starting the proxies that people put before and behind Tidegate, each in a folder of its own. Refuses to install them. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './events.js';
import { connectTcp, refusedPort } from './tcp-peer.js';

/** A proxy that runs. */
export interface FrontProxy {
  readonly port: number;
  stop(): Promise<void>;
}

interface Kind {
  readonly isInstalled: boolean;
  /**
   * @param targets where requests go: with more than one, those with the same `X-Client` to the same one.
   * @param more what else is to be said where requests are passed on, in words of its own.
   */
  config(port: number, targets: readonly number[], folder: string, more: string): string;
  command(file: string, folder: string): readonly [program: string, ...args: string[]];
}

const isInstalled = (program: string): boolean => spawnSync(program, ['-v']).error === undefined;

/** Each passes every request on to one target, upgrades too. `/refused` is answered by itself. */
export const FRONT_PROXIES: Readonly<Record<'nginx' | 'haproxy', Kind>> = {
  nginx: {
    isInstalled: isInstalled('nginx'),
    config: (port, targets, folder, more) => `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 256; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  upstream back { hash $http_x_client; ${targets.map((target) => `server 127.0.0.1:${target};`).join(' ')} }
  server {
    listen 127.0.0.1:${port};
    location /refused { return 404 "not here"; }
    location / {
      proxy_pass http://${targets.length === 1 ? `127.0.0.1:${targets[0]}` : 'back'};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      ${more}
    }
  }
}
`,
    command: (file, folder) => ['nginx', '-e', `${folder}/error.log`, '-p', folder, '-c', file],
  },
  haproxy: {
    isInstalled: isInstalled('haproxy'),
    config: (port, targets) => `defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
  timeout tunnel 10s
frontend front
  bind 127.0.0.1:${port}
  http-request return status 404 content-type text/plain string "not here" if { path /refused }
  default_backend back
backend back
  balance hdr(X-Client)
${targets.map((target) => `  server to${target} 127.0.0.1:${target}`).join('\n')}
`,
    command: (file) => ['haproxy', '-db', '-f', file],
  },
};

/** Starts one before a target, or several, and waits until it listens. */
export async function startFrontProxy(
  name: keyof typeof FRONT_PROXIES,
  target: number | readonly number[],
  more = '',
): Promise<FrontProxy> {
  const kind = FRONT_PROXIES[name];
  const folder = mkdtempSync(join(tmpdir(), `tidegate-${name}-`));
  const file = join(folder, 'config');
  const port = await refusedPort();
  writeFileSync(file, kind.config(port, [target].flat(), folder, more));
  const [program, ...args] = kind.command(file, folder);
  const child = spawn(program, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`${name} did not start`);
    return connectTcp({ port }).then(
      (connection) => {
        connection.destroy();
        return true;
      },
      () => false,
    );
  }, `${name} listens`);
  return {
    port,
    stop: async () => {
      child.kill();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
