/** Owns keeping the values of a label few, whatever others choose them to be. Refuses to know which label it is. */

/** The value that stands for all that are too many. */
export const OTHER = 'other';

/**
 * The first so many values each for itself, and all others together as `other`. First come, first told: a value that was told stays
 * told, so that no series jumps between its own name and `other` while what came before it is still there.
 */
export function boundedValues<Item>(
  items: Iterable<Item>,
  nameOf: (item: Item) => string,
  most: number,
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const name = nameOf(item);
    const value = groups.has(name) || groups.size < most ? name : OTHER;
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [item]);
    else group.push(item);
  }
  return groups;
}
