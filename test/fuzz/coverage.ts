/**
 * Owns the feedback of which code ran: blocks and functions of the modules under test, as V8 counts them. Refuses to know
 * the inputs.
 */
import { type Profiler, Session } from 'node:inspector';

/** Which code ran since the last time it was asked. */
export class Coverage {
  readonly #session = new Session();
  readonly #isCovered: (url: string) => boolean;

  /** @param modules endings of the files that count, such as `protocol/frame-scanner`, without their extension. */
  constructor(modules: readonly string[]) {
    this.#isCovered = (url) => modules.some((name) => url.endsWith(`src/${name}.js`) || url.endsWith(`src/${name}.ts`));
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** The blocks that ran since the last call, each with how often in steps (1, 2, 3 to 8, more). */
  taken(): string[] {
    let result: Profiler.ScriptCoverage[] = [];
    // In one process the answer comes before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error === null) result = answer.result;
    });
    const blocks: string[] = [];
    for (const { url, functions } of result) {
      if (!this.#isCovered(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) blocks.push(`${url.slice(-30)}:${startOffset}-${endOffset}:${step(count)}`);
        }
      }
    }
    return blocks;
  }

  stop(): void {
    this.#session.disconnect();
  }
}

function step(count: number): number {
  if (count <= 2) return count;
  return count <= 8 ? 3 : 4;
}
