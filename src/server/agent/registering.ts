/** Owns that a server which is a backend registers itself when it is bound, and leaves before it stops. Refuses to serve anyone. */
import type { ProxyConfig } from '../config/options.js';
import { RegistryClients } from '../group/registry-clients.js';
import type { ExtensionBase, ServerExtension } from '../server-extension.js';
import { advertisedBy } from './advertised.js';
import { BackendAgent } from './backend-agent.js';

/** Makes the agent of a server, which outlives its restarts; undefined for one that is nobody's backend. */
export class Registering {
  readonly agent: BackendAgent | undefined;
  readonly #listen: ProxyConfig['listen'];
  #base: ExtensionBase | undefined;

  constructor({ register, listen }: Pick<ProxyConfig, 'register' | 'listen'>) {
    this.#listen = listen;
    if (register === undefined) return;
    const connections = () => this.#base?.supervisor.registry.clientCount ?? 0;
    const clients = new RegistryClients(() => this.#base?.supervisor);
    this.agent = new BackendAgent({ ...register, connections, clients }, { advertised: () => this.#advertised() });
  }

  /** What a running server has of it; undefined for nothing. */
  get extend(): ((base: ExtensionBase) => ServerExtension) | undefined {
    const { agent } = this;
    if (agent === undefined) return undefined;
    return (base) => {
      this.#base = base;
      return {
        start: () => agent.start(),
        stopAhead: () => agent.leave(),
        release: () => agent.stop(),
      };
    };
  }

  #advertised(): string[] {
    const addresses = this.#base?.addresses() ?? [];
    return advertisedBy(addresses.map((address, index) => ({ address, role: this.#listen[index]?.role ?? 'client' })));
  }
}
