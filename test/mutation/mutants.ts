/**
 * Owns which small changes are made to a source: comparisons, operators, numbers, conditions and statements, one at a time.
 * Refuses to change what is only worded: strings, types, imports and the names of things.
 */
import { parseSync } from 'vite';

/** A source with one change. */
export interface Mutant {
  /** The file, the function and the change; it stays the same when lines move. */
  readonly id: string;
  readonly source: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '&': ['|'],
  '|': ['&'],
  '<<': ['>>>'],
  '>>>': ['<<', '>>'],
  '&&': ['||'],
  '||': ['&&'],
  '+=': ['-='],
  '-=': ['+='],
  '^=': ['|=', '&='],
};

/** What is not run, or only worded. */
const SKIPPED = new Set(['ImportDeclaration', 'TSInterfaceDeclaration', 'TSTypeAliasDeclaration', 'TSTypeAnnotation']);

/** What the changes in it are listed under. */
const NAMED = new Set([
  'FunctionDeclaration',
  'ClassDeclaration',
  'MethodDefinition',
  'PropertyDefinition',
  'VariableDeclarator',
]);

/** Makes every mutant of a source. */
export function mutantsOf(path: string, source: string): Mutant[] {
  const file = path.split('/').at(-1)!;
  const mutants: Mutant[] = [];
  const counts = new Map<string, number>();
  const visit = (node: Node, outer: string): void => {
    if (SKIPPED.has(node.type)) return;
    const name = NAMED.has(node.type) ? ((node.id ?? node.key) as { readonly name?: string }).name : undefined;
    const place = name === undefined ? outer : outer === '' ? name : `${outer}.${name}`;
    for (const { start, end, text } of changesOf(node, source)) {
      const plain = `${file} ${place}: ${source.slice(start, end).replaceAll(/\s+/g, ' ')} => ${text}`;
      const count = (counts.get(plain) ?? 0) + 1;
      counts.set(plain, count);
      const id = count === 1 ? plain : `${plain} #${count}`;
      mutants.push({ id, source: source.slice(0, start) + text + source.slice(end) });
    }
    for (const child of childrenOf(node)) visit(child, place);
  };
  visit(parseSync(path, source).program as unknown as Node, '');
  return mutants;
}

function childrenOf(node: Node): Node[] {
  return Object.entries(node)
    .filter(([key]) => key !== 'typeAnnotation' && key !== 'returnType' && key !== 'typeArguments')
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
    .filter((value): value is Node => typeof value === 'object' && value !== null && 'type' in value);
}

function changesOf(node: Node, source: string): Change[] {
  const replaced = (text: string): Change => ({ start: node.start, end: node.end, text });
  switch (node.type) {
    case 'BinaryExpression':
    case 'LogicalExpression':
    case 'AssignmentExpression':
      return otherOperators(node, source);
    case 'Literal': {
      const { value } = node;
      if (typeof value === 'boolean') return [replaced(`${!value}`)];
      if (typeof value !== 'number') return [];
      return [replaced(`${value + 1}`), ...(value === 0 ? [] : [replaced(`${value - 1}`)])];
    }
    case 'UnaryExpression':
      return node.operator === '!' ? [replaced(source.slice((node.argument as Node).start, node.end))] : [];
    case 'IfStatement':
    case 'ConditionalExpression': {
      const { start, end } = node.test as Node;
      return ['true', 'false'].map((text) => ({ start, end, text }));
    }
    case 'ExpressionStatement':
      return [replaced(';')];
    case 'ContinueStatement':
      return [replaced('break;')];
    case 'ReturnStatement': {
      // A rule that is found and then not told.
      const { type, start, end } = (node.argument ?? node) as Node;
      return type === 'CallExpression' ? [{ start, end, text: 'null' }] : [];
    }
    default:
      return [];
  }
}

function otherOperators(node: Node, source: string): Change[] {
  const { left, right, operator } = node as unknown as { left: Node; right: Node; operator: string };
  const start = source.indexOf(operator, left.end);
  if (start < 0 || start >= right.start) return [];
  return (OPERATORS[operator] ?? []).map((text) => ({ start, end: start + operator.length, text }));
}
