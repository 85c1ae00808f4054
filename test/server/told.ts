/** Owns writing down everything that a server lets out. Refuses to judge it. */
import { Console } from 'node:console';
import { PassThrough } from 'node:stream';
import { format, inspect } from 'node:util';
import type { LoadBalancer, ProxyServer } from '../../src/index.js';
import { logServerEvents } from '../../src/server/cli/server-log.js';
import { createLogger } from '../../src/server/telemetry/logger.js';

/** Everything that a server lets out, as text, to be searched for what should not be there. */
export class Told {
  readonly told: string[] = [];

  add(...values: unknown[]): void {
    const everything = { depth: 14, getters: true, showHidden: true, maxArrayLength: 200, breakLength: Infinity };
    this.told.push(inspect(values, everything), inspect(values, { ...everything, customInspect: false }));
    this.told.push(format('%s %o', ...values), jsonOf(values));
  }

  text(text: string): void {
    this.told.push(text);
  }

  watch(server: ProxyServer | LoadBalancer): void {
    const { emit } = server;
    // Also those events that nobody has thought of here.
    server.emit = ((...event: Parameters<typeof emit>) => {
      this.add(...(event as unknown[]));
      return emit.apply(server, event);
    }) as typeof emit;
    const names = ['startup', 'shutdown', 'connection', 'rejected', 'banned', 'disconnected', 'certificates'] as const;
    for (const name of [...names, 'expiring', 'error', 'exception'] as const) server.on(name, () => {});
    const destination = { write: (text: string) => void this.told.push(text) };
    for (const logFormat of ['json', 'text'] as const) {
      logServerEvents(server, createLogger({ format: logFormat, level: 'trace', destination }));
    }
  }
}

/** As inspectors write it: what goes round in circles is left out. */
export function jsonOf(value: unknown): string {
  const above: unknown[] = [];
  return JSON.stringify(value, function (this: unknown, _, inner: unknown) {
    while (above.length > 0 && above.at(-1) !== this) above.pop();
    if (typeof inner === 'bigint') return String(inner);
    if (typeof inner !== 'object' || inner === null) return inner;
    if (above.includes(inner) || above.length > 14) return '(above)';
    above.push(inner);
    return inner;
  });
}

/** What `console.log` makes of it. */
export function printed(value: unknown): string {
  const stdout = new PassThrough();
  new Console({ stdout, colorMode: false }).log(value);
  return String(stdout.read());
}
