import { isTest } from '../paths.ts';
import type { Finding, Module, Rule } from '../repository.ts';
import { dottedName, nodesOf, type SyntaxNode } from '../syntax.ts';

/** Where credits and money are counted. What needs a division calls `lib/exact.ts`. */
const countedIn = /^server\/src\/domains\/(credits|payments)\/.*\.ts$/;
const countedInSql = /^server\/src\/db\/migrations\/\d+_(credits|payments)\w*\.sql$/;

const fractionCalls =
  /(^|\.)(parseFloat|toFixed|toPrecision)$|^Math\.(round|floor|ceil|trunc|fround|f16round|sqrt|cbrt|pow|exp\w*|log\w*|random)$/;

/** Types and functions of SQL that are not whole numbers, and literals with a point or an exponent. */
const fractionSql =
  /\b(real|double\s+precision|float\d*|numeric|decimal|money|avg|round|trunc|ceil|ceiling|floor|power|sqrt|random)\b|(?<![\w.])\d+(\.\d|e[+-]?\d)/i;
/** Time may be divided, and so may places in a history, to halve it. */
const divisible = /\bepoch\b|\(low \+ high/;

export const wholeNumberRules: Rule[] = [
  {
    name: 'no fractions where credits are counted',
    why: 'a float loses a credit somewhere beyond 2^53, and a rounding rule is a place where credits appear or vanish',
    check: ({ files, modules }) => [
      ...modules.filter(({ path }) => countedIn.test(path) && !isTest(path)).flatMap(fractionsIn),
      ...[...files].filter(([path]) => countedInSql.test(path)).flatMap(fractionsInSql),
    ],
  },
];

function fractionsIn(module: Module): Finding[] {
  return [...nodesOf(module.program)].flatMap(([node, parents]) => {
    const what = fraction(node, parents);
    return what ? [{ path: module.path, line: module.lineAt(node.start), message: what }] : [];
  });
}

function fraction(node: SyntaxNode, parents: SyntaxNode[]): string | undefined {
  if (node.type === 'BinaryExpression' && (node.operator === '/' || node.operator === '**'))
    return `calculates with ${node.operator}`;
  if (node.type === 'AssignmentExpression' && (node.operator === '/=' || node.operator === '**='))
    return `calculates with ${node.operator}`;
  if (node.type === 'Literal' && typeof node.value === 'number' && !Number.isSafeInteger(node.value))
    return `holds the fraction ${node.raw}`;
  if (node.type === 'CallExpression' && fractionCalls.test(dottedName(node.callee)))
    return `calls ${dottedName(node.callee)}`;
  if (node.type === 'UnaryExpression' && node.operator === '+') return 'reads a number with a unary +';
  if (node.type === 'Identifier' && node.name === 'Number' && !isMember(node, parents.at(-1)))
    return 'reads a number with Number: exactInteger throws when it is not exact';
  return undefined;
}

/** `Number.isSafeInteger` and the like. */
function isMember(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  return parent?.type === 'MemberExpression' && parent.object === node;
}

function fractionsInSql([path, text]: [string, string]): Finding[] {
  return withoutTexts(text)
    .split('\n')
    .flatMap((line, index) => {
      if (divisible.test(line)) return [];
      const found = fractionSql.exec(line)?.[0] ?? (line.includes('/') ? 'a division' : undefined);
      return found ? [{ path, line: index + 1, message: `calculates with ${found.trim()}` }] : [];
    });
}

/** SQL without its comments and string literals, the lines kept. */
function withoutTexts(sql: string): string {
  return sql.replaceAll(/--.*|'(?:[^']|'')*'/g, (found) => found.replaceAll(/[^\n]/g, ' '));
}
