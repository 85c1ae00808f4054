/** Owns finding out which metrics and labels a query of Prometheus uses. Refuses to evaluate it; one that it cannot take apart is an error. */

/** One metric as it is asked for. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

/** What a query uses. */
export interface QueryUse {
  readonly selectors: readonly Selector[];
  /** The labels that it groups or joins by. */
  readonly grouping: readonly string[];
}

const TOKEN =
  /\s+|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<range>\[[^\]]*\])|(?<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?<name>[a-zA-Z_:][\w:]*)|(?<sign>=~|!~|!=|==|>=|<=|[-+*/%^(){},=<>])/y;
const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset']);

interface Token {
  readonly kind: string;
  readonly text: string;
}

/** @throws Error for what is no query, or one of a kind that is not known here. */
export function usedBy(query: string): QueryUse {
  const tokens = tokensOf(query);
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  let depth = 0;
  for (let at = 0; at < tokens.length; at += 1) {
    const { kind, text } = tokens[at]!;
    if (text === '(') depth += 1;
    if (text === ')') depth -= 1;
    if (kind !== 'name') continue;
    if (GROUPING.has(text)) {
      const end = closing(tokens, at + 1, ')');
      grouping.push(...tokens.slice(at + 2, end).flatMap((token) => (token.kind === 'name' ? [token.text] : [])));
      at = end;
    } else if (!WORDS.has(text) && tokens[at + 1]?.text !== '(' && !GROUPING.has(tokens[at + 1]?.text ?? '')) {
      const isMatched = tokens[at + 1]?.text === '{';
      const end = isMatched ? closing(tokens, at + 1, '}') : at;
      selectors.push({ metric: text, matchers: isMatched ? matchersOf(tokens.slice(at + 2, end), query) : [] });
      at = end;
    }
  }
  if (depth !== 0) throw new Error(`brackets without their others: ${query}`);
  return { selectors, grouping };
}

function tokensOf(query: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < query.length) {
    const from = TOKEN.lastIndex;
    const found = TOKEN.exec(query);
    if (found === null) throw new Error(`not a query, from character ${from} on: ${query}`);
    const [kind, text] = Object.entries(found.groups ?? {}).find(([, value]) => value !== undefined) ?? [];
    if (kind !== undefined && text !== undefined) tokens.push({ kind, text });
  }
  return tokens;
}

function closing(tokens: readonly Token[], from: number, bracket: string): number {
  const end = tokens.findIndex(({ text }, at) => at > from && text === bracket);
  if (end === -1) throw new Error(`no ${bracket} behind ${tokens[from]?.text}`);
  return end;
}

function matchersOf(tokens: readonly Token[], query: string): Selector['matchers'] {
  const matchers = [];
  for (let at = 0; at < tokens.length; at += 4) {
    const [label, operator, value, comma] = tokens.slice(at, at + 4);
    if (label?.kind !== 'name' || value?.kind !== 'string' || (comma !== undefined && comma.text !== ',')) {
      throw new Error(`not a matcher: ${query}`);
    }
    matchers.push({ label: label.text, operator: operator?.text ?? '', value: value.text.slice(1, -1) });
  }
  return matchers;
}
