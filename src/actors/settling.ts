/** Owns a promise that is settled from outside. Refuses to know what is waited for. */

/** A promise together with the functions that settle it. */
export interface Settling {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

/** Makes one. */
export function settling(): Settling {
  let resolve: () => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
