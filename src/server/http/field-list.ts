/** Owns header fields that may be changed, with order and case kept. Refuses what HTTP does not allow in a field. */
import { assertHeaderField, type HeaderFields } from '../../receivers/decision.js';

/** The header fields of a message. Names are compared in any case. */
export class FieldList {
  #raw: string[];

  /** @param raw names and values in turn. */
  constructor(raw: readonly string[]) {
    this.#raw = [...raw];
  }

  /** Names and values in turn. */
  get raw(): readonly string[] {
    return this.#raw;
  }

  /** The value of a field; those of fields that came more than once are joined with commas. Undefined when there is none. */
  get(name: string): string | undefined {
    const values = this.getAll(name);
    return values.length === 0 ? undefined : values.join(', ');
  }

  /** The values of every field of that name, such as of `Set-Cookie`. */
  getAll(name: string): string[] {
    const lower = name.toLowerCase();
    return this.#raw.filter((_value, at) => at % 2 === 1 && this.#raw[at - 1]!.toLowerCase() === lower);
  }

  /**
   * Puts one field in place of all of that name.
   *
   * @throws TidegateError `INVALID_HEADER` for what HTTP does not allow.
   */
  set(name: string, value: string): void {
    assertHeaderField(name, value);
    this.delete(name);
    this.#raw.push(name, value);
  }

  /** Adds a field beside those of that name. @throws TidegateError `INVALID_HEADER`. */
  append(name: string, value: string): void {
    assertHeaderField(name, value);
    this.#raw.push(name, value);
  }

  /** Adds the fields of a record. @throws TidegateError `INVALID_HEADER`. */
  appendAll(fields: HeaderFields | undefined): void {
    for (const [name, value] of Object.entries(fields ?? {})) for (const one of [value].flat()) this.append(name, one);
  }

  /** Takes out every field of that name. */
  delete(name: string): void {
    const lower = name.toLowerCase();
    this.#raw = this.#raw.filter((_value, at) => this.#raw[at - (at % 2)]!.toLowerCase() !== lower);
  }
}
