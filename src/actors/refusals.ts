/** Owns the words of the refusals that no application gave. Refuses to send them. */
import {
  type Acceptance,
  accept,
  describeError,
  httpStatusOf,
  type Rejection,
  reject,
  TidegateError,
  type UpgradeAnswer,
} from '../receivers/index.js';
import type { Refusal } from './connection.effects.js';

/** The client left; nobody will read this. */
export const downstreamGone: Refusal = {
  status: 400,
  error: 'DOWNSTREAM_GONE',
  message: 'the client left before the answer',
};

/** The server stops, or an operator ended what was not open yet. */
export const shuttingDown: Refusal = { status: 503, error: 'SHUTTING_DOWN', message: 'the server is stopping' };

/** There are as many connections as there may be. */
export function capacityReached(open: number, maxConnections: number): Refusal {
  return {
    status: 503,
    error: 'CAPACITY_REACHED',
    message: `${open} connections are open (limits.maxConnections: ${maxConnections})`,
  };
}

/** The application took too long to decide. */
export const decisionTimeout: Refusal = {
  status: 503,
  error: 'DECISION_TIMEOUT',
  message: 'the decision about this request took too long',
};

/** The target took too long to answer. */
export const upstreamTimeout: Refusal = {
  status: 504,
  error: 'UPSTREAM_TIMEOUT',
  message: 'the target did not answer in time',
};

/** A callback threw before the 101. The client learns no more than that. */
export function receiverFailure(error: unknown): Refusal {
  const code = error instanceof TidegateError ? error.code : 'RECEIVER_FAILED';
  const message = error instanceof TidegateError ? describeError(error) : 'the application failed';
  return { status: httpStatusOf(code), error: code, message };
}

/**
 * What an answer of `onUpgradeRequest` means.
 *
 * @throws TidegateError `INVALID_DECISION` for anything it cannot answer, and what `accept` and `reject` throw.
 */
export function decisionOf(answer: UpgradeAnswer): Acceptance | Rejection {
  if (answer === undefined || answer === true) return { kind: 'accept' };
  if (answer === false) return { kind: 'reject', status: 403 };
  // One that was written by hand is held to the same rules as one of accept() or reject().
  if (typeof answer === 'object' && answer?.kind === 'accept') return accept(answer);
  if (typeof answer === 'object' && answer?.kind === 'reject') {
    const { status, ...options } = answer;
    return reject(status, options);
  }
  throw new TidegateError(
    'INVALID_DECISION',
    `onUpgradeRequest answered ${JSON.stringify(answer)}; it takes accept(), reject(), true, false or nothing`,
  );
}
