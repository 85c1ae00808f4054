/** Owns the route of a client that is sent elsewhere: it goes nowhere here, and is answered 307. Refuses to choose where. */
import type { Refusal } from '../../../actors/connection.effects.js';
import type { Ending } from '../../../actors/ending.js';
import { describeError, httpStatusOf, TidegateError, type UpgradeRequest } from '../../../receivers/index.js';
import type { Route, Routes } from '../../connections/route.js';
import { directionAnswer } from './directions.js';
import type { Directory } from './directory.js';

/** Makes routes that end at the answer. */
export function createRedirectRoutes(directory: Directory, exception: (error: unknown) => void): Routes {
  return { speaks: 'websocket', routeFor: (request) => new RedirectRoute(directory, request, exception) };
}

class RedirectRoute implements Route {
  readonly attemptTimeout = 0;
  readonly hasAnother = false;
  readonly retryAfter = 0;
  readonly headers = undefined;
  readonly #directory: Directory;
  readonly #request: UpgradeRequest;
  readonly #exception: (error: unknown) => void;

  constructor(directory: Directory, request: UpgradeRequest, exception: (error: unknown) => void) {
    this.#directory = directory;
    this.#request = request;
    this.#exception = exception;
  }

  async next(): Promise<Refusal> {
    const request = this.#request;
    if (request.transport === 'tcp') {
      return refusal('WEBSOCKET_DISABLED', 'a client that speaks plain TCP cannot be told where to go');
    }
    try {
      const found = await this.#directory.find(request, request.url);
      if ('error' in found) {
        const { status, headers, body } = directionAnswer(found);
        return { status, headers, body, error: found.error, message: found.message };
      }
      const { status, headers, body } = directionAnswer(found, 307);
      // Without path and query, where credentials travel: this is for the log.
      const { protocol, host } = new URL(found.url);
      const message = `told to go to ${protocol}//${host}`;
      return { status, headers: { ...headers, Location: found.url }, body, error: 'REDIRECTED', message };
    } catch (error) {
      this.#exception(error);
      return refusal(error instanceof TidegateError ? error.code : 'HOOK_FAILED', describeError(error));
    }
  }

  failed(): boolean {
    return false;
  }

  connected(): boolean {
    return false;
  }

  requestHeaders(rawHeaders: readonly string[]): readonly string[] {
    return rawHeaders;
  }

  over(): void {}

  lossEnding(): Ending {
    return { initiator: 'upstream', cause: 'UPSTREAM_LOST', code: 1011, reason: '' };
  }
}

function refusal(error: Refusal['error'], message: string): Refusal {
  return { status: httpStatusOf(error), error, message };
}
