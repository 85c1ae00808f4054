/** Owns the backends that are found by name, while a balancer runs. Refuses to know how a name is resolved. */
import { Resolver } from 'node:dns/promises';
import { DiscoveredName, type DiscoveryServices } from './discovered-name.js';
import { parseDiscoveryName } from './discovery-name.js';
import type { DnsResolver } from './resolve-name.js';

/** What discovery is made of. */
export interface DiscoveryOptions extends Omit<DiscoveryServices, 'resolver'> {
  readonly names: readonly string[];
  /** Undefined: the servers of the operating system are asked. */
  readonly resolver: DnsResolver | undefined;
}

/** How long a server of the operating system has for its answer, in milliseconds, and how often it is asked. */
const OWN = { timeout: 2000, tries: 2 };

/** Finds backends by name. */
export class Discovery {
  readonly #names: readonly DiscoveredName[];
  readonly #own: Resolver | undefined;

  constructor({ names, resolver, ...services }: DiscoveryOptions) {
    this.#own = names.length === 0 || resolver !== undefined ? undefined : new Resolver(OWN);
    const asked = resolver ?? this.#own;
    this.#names = names.flatMap((text) => {
      const name = parseDiscoveryName(text);
      return asked === undefined || 'fault' in name ? [] : new DiscoveredName(name, { ...services, resolver: asked });
    });
  }

  /** Begins to resolve. Nobody waits for it: a balancer starts without DNS, too. */
  start(): void {
    for (const name of this.#names) name.start();
  }

  /** A backend serves, or does not any more. */
  review(): void {
    for (const name of this.#names) name.review();
  }

  close(): void {
    for (const name of this.#names) name.close();
    this.#own?.cancel();
  }
}
