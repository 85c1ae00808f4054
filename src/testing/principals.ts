/** Owns the credentials by which a client in memory shows a principal that a test gave. Refuses to be of use anywhere else. */
import { type Principal, TidegateError } from '../receivers/index.js';
import type { ServerHooks } from '../server/hooks.js';

const SCHEME = 'Tidegate-Memory';

/** The principals of one server. */
export class Principals {
  readonly #known = new Map<string, Principal>();

  /** The hooks of a server with one that knows these principals beside the one that there is. */
  hooked(hooks: ServerHooks): ServerHooks {
    return {
      ...hooks,
      onUnknownAuthentication: (scheme, data, request) =>
        scheme.toLowerCase() === SCHEME.toLowerCase()
          ? this.#known.get(data)
          : hooks.onUnknownAuthentication?.(scheme, data, request),
    };
  }

  /** The header field by which a client shows it. */
  show(principal: Principal, allowed: boolean): Record<string, string> {
    if (!allowed) {
      const expected = 'a server that is to be given principals has the option `principals: true`';
      throw new TidegateError('INVALID_OPTION', `principal: got one; ${expected}`);
    }
    const name = String(this.#known.size + 1);
    this.#known.set(name, principal);
    return { Authorization: `${SCHEME} ${name}` };
  }
}
