import type { Node } from 'oxc-parser';
import type { Module } from './repository.ts';

/** A node of the syntax tree with what this folder asks of one. */
export type SyntaxNode = Node & { start: number; end: number };

/** Every node below `root`, parents before children, each with the nodes that contain it, innermost last. */
export function* nodesOf(root: unknown, parents: SyntaxNode[] = []): Generator<[SyntaxNode, SyntaxNode[]]> {
  if (Array.isArray(root)) {
    for (const item of root) yield* nodesOf(item, parents);
  } else if (typeof root === 'object' && root !== null) {
    const isNode = 'type' in root && typeof root.type === 'string';
    if (isNode) yield [root as SyntaxNode, parents];
    const inner = isNode ? [...parents, root as SyntaxNode] : parents;
    for (const [key, value] of Object.entries(root)) if (key !== 'parent') yield* nodesOf(value, inner);
  }
}

/** The dotted name of an expression: `console.log`, `ctx.db.call`; empty when it is something else. */
export function dottedName(node: unknown): string {
  const expression = node as SyntaxNode;
  if (expression.type === 'Identifier') return expression.name;
  if (expression.type === 'ThisExpression') return 'this';
  if (
    expression.type === 'MemberExpression' &&
    expression.property.type === 'Identifier' &&
    !expression.computed
  ) {
    const object = dottedName(expression.object);
    return object === '' ? '' : `${object}.${expression.property.name}`;
  }
  return '';
}

/** Every literal text of a module: strings, and templates with `?` where they insert a value. */
export function textsOf(module: Module): { text: string; line: number }[] {
  const texts: { text: string; line: number }[] = [];
  for (const [node] of nodesOf(module.program)) {
    if (node.type === 'Literal' && typeof node.value === 'string') {
      texts.push({ text: node.value, line: module.lineAt(node.start) });
    } else if (node.type === 'TemplateLiteral') {
      const text = node.quasis.map((part) => part.value.cooked ?? part.value.raw).join('?');
      texts.push({ text, line: module.lineAt(node.start) });
    }
  }
  return texts;
}

/** The names that a module exports as values, with the comment that stands directly above each. */
export function exportedValuesOf(
  module: Module,
): { name: string; kind: 'function' | 'value'; docstring: string; line: number }[] {
  return module.program.body.flatMap((statement) => {
    if (statement.type !== 'ExportNamedDeclaration' || statement.exportKind === 'type') return [];
    const found = {
      docstring: docstringAbove(module, statement.start),
      line: module.lineAt(statement.start),
    };
    const { declaration } = statement;
    if (declaration?.type === 'FunctionDeclaration') {
      return [{ name: declaration.id?.name ?? 'default', kind: 'function' as const, ...found }];
    }
    if (declaration?.type === 'ClassDeclaration') {
      return [{ name: declaration.id?.name ?? 'default', kind: 'value' as const, ...found }];
    }
    if (declaration?.type === 'VariableDeclaration') {
      return declaration.declarations.flatMap((item) =>
        item.id.type === 'Identifier' ? [{ name: item.id.name, kind: kindOf(item.init), ...found }] : [],
      );
    }
    return statement.source
      ? []
      : statement.specifiers
          .filter((item) => item.exportKind !== 'type' && item.exported.type === 'Identifier')
          .map((item) => ({ name: dottedName(item.exported), kind: 'value' as const, ...found }));
  });
}

function kindOf(node: unknown): 'function' | 'value' {
  const type = (node as SyntaxNode | null)?.type;
  return type === 'ArrowFunctionExpression' || type === 'FunctionExpression' ? 'function' : 'value';
}

function docstringAbove(module: Module, start: number): string {
  const above = module.comments.findLast((comment) => comment.end <= start);
  const isDirectlyAbove = above && module.text.slice(above.end, start).trim() === '';
  return isDirectlyAbove && above.type === 'Block' && above.value.startsWith('*') ? above.value : '';
}
