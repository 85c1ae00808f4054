/** Owns the arithmetic of a rate with a burst. Refuses to keep time: whoever asks brings it. */

/** How fast, and how much at once. */
export interface Rate {
  /** Tokens a second. */
  readonly perSecond: number;
  /** The most that can be saved up, and what a new bucket has. At least 1. */
  readonly burst: number;
}

/** A bucket is two numbers, so that one can be a part of something else. */
export interface Bucket {
  tokens: number;
  /** When it was filled last, in milliseconds. */
  filledAt: number;
}

/** Makes a rate of a number a second, and of how many milliseconds of it may be saved up. */
export function rateOf(perSecond: number, burstMilliseconds: number): Rate {
  return { perSecond, burst: Math.max(1, (perSecond * burstMilliseconds) / 1000) };
}

/** Takes a token. Answers 0, or the milliseconds until there is one. */
export function takeToken(bucket: Bucket, { perSecond, burst }: Rate, now: number): number {
  bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) * perSecond) / 1000);
  bucket.filledAt = now;
  // What was added in many small steps may miss a whole one by a rounding.
  if (bucket.tokens < 1 - 1e-9) return ((1 - bucket.tokens) * 1000) / perSecond;
  bucket.tokens = Math.max(0, bucket.tokens - 1);
  return 0;
}

/** Whether it would be full by now. */
export function isFull(bucket: Bucket, { perSecond, burst }: Rate, now: number): boolean {
  return bucket.tokens + ((now - bucket.filledAt) * perSecond) / 1000 >= burst;
}
