/** Owns one watch as a stream of server-sent events, as fast as it is read. Refuses to know HTTP. */
import type { InspectionHub } from './inspection-hub.js';
import type { Watch, WatchOptions } from './watch.js';

/** Milliseconds. */
const KEEP_ALIVE = 15_000;
/** Characters that are written at once. */
const MAX_PIECE = 65_536;

/** Frames as server-sent events. The watch begins with the first iteration, and ends with its end. */
export class FrameStream implements AsyncIterable<string> {
  readonly #hub: InspectionHub;
  readonly #options: WatchOptions;

  constructor(hub: InspectionHub, options: WatchOptions) {
    this.#hub = hub;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncIterator<string, undefined> {
    return new Pieces(this.#hub, this.#hub.watch(this.#options));
  }
}

// No generator: one that waits could not be returned from.
class Pieces implements AsyncIterator<string, undefined> {
  readonly #hub: InspectionHub;
  readonly #watch: Watch;
  readonly #timer: NodeJS.Timeout;
  #waiting: ((result: IteratorResult<string, undefined>) => void) | undefined;

  constructor(hub: InspectionHub, watch: Watch) {
    this.#hub = hub;
    this.#watch = watch;
    watch.onReady = () => this.#serve();
    this.#timer = setInterval(() => this.#answer({ value: ': keep-alive\n\n' }), KEEP_ALIVE).unref();
  }

  next(): Promise<IteratorResult<string, undefined>> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#serve();
    });
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    clearInterval(this.#timer);
    this.#hub.leave(this.#watch);
    return { done: true, value: undefined };
  }

  #serve(): void {
    if (this.#waiting === undefined) return;
    let text = '';
    while (text.length < MAX_PIECE) {
      const frame = this.#watch.take();
      if (frame === undefined) break;
      text += `data: ${JSON.stringify(frame)}\n\n`;
    }
    if (text !== '') {
      this.#answer({ value: text });
    } else if (this.#watch.isOver) {
      this.#answer({ done: true, value: undefined });
      void this.return();
    }
  }

  #answer(result: IteratorResult<string, undefined>): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(result);
  }
}
