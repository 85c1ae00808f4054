/**
 * Owns a collection whose members come and go thousands of times a second, in the order in which they came. Refuses to be a `Set`:
 * every few dozen changes V8 gives one a new table, and the table before points to it. The first of them that is old keeps all
 * that follow, with everything that was ever in them, until the next major collection, so that nothing dies young.
 */

/** A member holds its neighbours, so that it is in one chain at a time. Written by the chain only. */
export interface Chained<Member> {
  before: Member | undefined;
  behind: Member | undefined;
}

/** A doubly linked list through its members. What left it points to nobody. */
export class Chain<Member extends Chained<Member>> {
  #first: Member | undefined;
  #last: Member | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The one that is in it for the longest time. */
  get first(): Member | undefined {
    return this.#first;
  }

  /** The one that came last. */
  get last(): Member | undefined {
    return this.#last;
  }

  has(member: Member): boolean {
    return member.before !== undefined || this.#first === member;
  }

  /** Adds a member that is in no chain. */
  add(member: Member): void {
    member.before = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.behind = member;
    this.#last = member;
    this.#size += 1;
  }

  /** Takes a member out of this chain. Answers whether it was in it. */
  delete(member: Member): boolean {
    if (!this.has(member)) return false;
    const { before, behind } = member;
    if (before === undefined) this.#first = behind;
    else before.behind = behind;
    if (behind === undefined) this.#last = before;
    else behind.before = before;
    member.before = undefined;
    member.behind = undefined;
    this.#size -= 1;
    return true;
  }

  /** Takes all members out, and answers with them. */
  clear(): Member[] {
    const all = [...this];
    for (const member of all) this.delete(member);
    return all;
  }

  /** Those that are in it now: members may come and go while they are walked over. */
  [Symbol.iterator](): Iterator<Member> {
    const all: Member[] = [];
    for (let member = this.#first; member !== undefined; member = member.behind) all.push(member);
    return all[Symbol.iterator]();
  }
}
