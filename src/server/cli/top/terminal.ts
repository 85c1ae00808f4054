/** Owns taking a terminal for a full-screen view, and giving it back as it was, however the view ends. Refuses to know what is shown. */
import { emitKeypressEvents } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';

/** A key that was pressed, such as `q`, `up`, `return`; with control held, `ctrl-c`. */
export type Key = string;

/** The two streams of a terminal. Those of the process, or of a test. */
export interface TerminalStreams {
  readonly input: ReadStream;
  readonly output: Pick<WriteStream, 'on' | 'off' | 'write' | 'columns' | 'rows'>;
}

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J';
const LEAVE = '\x1b[?25h\x1b[?1049l';

/** A terminal that is taken until {@link release}. */
export class Terminal {
  readonly #streams: TerminalStreams;
  readonly #onKey: (text: string | undefined, key: { name?: string; ctrl?: boolean }) => void;
  readonly #onResize: () => void;
  readonly #release = () => this.release();
  #isTaken = true;

  /** Takes it: the other screen, no cursor, keys as they are pressed. Given back when the process ends, too. */
  constructor(streams: TerminalStreams, pressed: (key: Key) => void, resized: () => void) {
    this.#streams = streams;
    this.#onKey = (text, { name = text ?? '', ctrl }) => pressed(ctrl === true ? `ctrl-${name}` : name);
    this.#onResize = resized;
    process.once('exit', this.#release);
    const { input, output } = streams;
    output.write(ENTER);
    emitKeypressEvents(input);
    input.setRawMode(true);
    input.on('keypress', this.#onKey);
    input.resume();
    output.on('resize', this.#onResize);
  }

  get columns(): number {
    return this.#streams.output.columns || 80;
  }

  get rows(): number {
    return this.#streams.output.rows || 24;
  }

  /** Shows lines, one below the other; what does not fit is left out. `inverse` is the line that stands out. */
  show(lines: readonly string[], inverse?: number): void {
    if (!this.#isTaken) return;
    const drawn = lines.slice(0, this.rows).map((line, index) => {
      return `${index === inverse ? `\x1b[7m${line}\x1b[0m` : line}\x1b[K`;
    });
    this.#streams.output.write(`\x1b[H${drawn.join('\r\n')}\x1b[J`);
  }

  /** Gives it back. May be called more than once. */
  release(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    process.off('exit', this.#release);
    const { input, output } = this.#streams;
    input.off('keypress', this.#onKey);
    output.off('resize', this.#onResize);
    input.setRawMode(false);
    input.pause();
    output.write(LEAVE);
  }
}
