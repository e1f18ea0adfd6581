import type { Expression } from 'oxc-parser';
import type { Finding, Module, Rule } from '../repository.ts';
import { dottedName, nodesOf, type SyntaxNode } from '../syntax.ts';

const functionLinesMax = 60;
const fileLinesMax = 300;
const columnsMax = 110;
/** SQL has no formatter to break lines, so a policy may stand on one. */
const sqlColumnsMax = 120;
/** A text may run over the edge, as broken texts cannot be searched for; but not for ever. */
const textColumnsMax = 180;
const longTextColumns = 50;
const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
/** Made by drizzle-kit. */
const generatedSql = /^server\/src\/db\/migrations\/(?:0000_|0023_identity_tables)/;

export const sizeRules: Rule[] = [
  {
    name: `a function has at most ${functionLinesMax} lines`,
    why: 'it fits on a screen, and its name says all of it',
    check: ({ modules }) => modules.flatMap(longFunctions),
  },
  {
    name: `a source file has at most ${fileLinesMax} lines`,
    why: 'a file is one thing, read from top to bottom',
    check: ({ modules }) =>
      modules.flatMap((module) => {
        const lines = module.text.trimEnd().split('\n').length - linesOfTables(module);
        return lines > fileLinesMax ? [{ path: module.path, line: 1, message: `${lines} lines` }] : [];
      }),
  },
  {
    name: `a line has at most ${columnsMax} columns`,
    why: 'two files side by side on a laptop',
    check: ({ files, modules }) => [
      ...modules.flatMap(longLines),
      ...[...files]
        .filter(([path]) => path.endsWith('.sql') && !generatedSql.test(path))
        .flatMap(longSqlLines),
    ],
  },
];

function longFunctions(module: Module): Finding[] {
  const findings: Finding[] = [];
  for (const [node, parents] of nodesOf(module.program)) {
    if (!functionTypes.has(node.type) || isGroupOfTests(parents)) continue;
    const first = module.lineAt(node.start);
    const lines = module.lineAt(node.end) - first + 1;
    if (lines > functionLinesMax)
      findings.push({ path: module.path, line: first, message: `${lines} lines` });
  }
  return findings;
}

function isGroupOfTests(parents: SyntaxNode[]): boolean {
  const parent = parents.at(-1);
  return parent?.type === 'CallExpression' && /^describe(\.|$)/.test(dottedName(parent.callee));
}

/**
 * Lines of tables: objects at the top of a file that hold plain data, such as the settings. They are looked
 * up, not read.
 */
function linesOfTables(module: Module): number {
  const tables = module.program.body.flatMap((statement) => {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declaration?.type !== 'VariableDeclaration') return [];
    return declaration.declarations.filter(({ init }) => init !== null && isPlainData(init));
  });
  return tables.reduce((sum, table) => sum + module.lineAt(table.end) - module.lineAt(table.start), 0);
}

function isPlainData(root: Expression): boolean {
  const inner =
    root.type === 'TSAsExpression' || root.type === 'TSSatisfiesExpression' ? root.expression : root;
  if (inner !== root) return isPlainData(inner);
  return (
    inner.type === 'ObjectExpression' &&
    ![...nodesOf(inner)].some(([node]) => /Function|Call/.test(node.type))
  );
}

function longLines(module: Module): Finding[] {
  const texts = [...nodesOf(module.program)].map(([node]) => node).filter(isUnbreakable);
  let end = -1;
  return module.text.split('\n').flatMap((line, index) => {
    const start = end + 1;
    end = start + line.length;
    if (line.length <= columnsMax) return [];
    const textColumns = texts.map((node) => Math.min(node.end, end) - Math.max(node.start, start));
    if (line.length <= textColumnsMax && Math.max(...textColumns) >= longTextColumns) return [];
    return [{ path: module.path, line: index + 1, message: `${line.length} columns` }];
  });
}

function isUnbreakable(node: SyntaxNode): boolean {
  if (node.type !== 'Literal') return node.type === 'TemplateLiteral';
  return typeof node.value === 'string' || 'regex' in node;
}

function longSqlLines([path, text]: [string, string]): Finding[] {
  return text.split('\n').flatMap((line, index) => {
    return line.length > sqlColumnsMax ? [{ path, line: index + 1, message: `${line.length} columns` }] : [];
  });
}
