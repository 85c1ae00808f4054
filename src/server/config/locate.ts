/** Owns finding the place of an option in a parsed YAML or JSON document. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';

/**
 * Finds where an option stands, as an offset into the text. An option that is missing is reported at the mapping it
 * belongs into.
 *
 * @param name true for the place of its name instead of its value.
 */
export function offsetOf(document: Document, steps: readonly PropertyKey[], name: boolean): number | undefined {
  let offset = startOf(document.contents);
  let node: unknown = document.contents;
  for (const [index, step] of steps.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => keyOf(item) === String(step));
      if (pair === undefined) return offset;
      const key = startOf(pair.key);
      const isLast = index === steps.length - 1;
      // A key without a value has a value node of no width after it; the key is what one sees.
      const isEmpty = isScalar(pair.value) && pair.value.source === '';
      offset = (isLast && (name || isEmpty) ? key : startOf(pair.value)) ?? key ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      offset = startOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function keyOf(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
