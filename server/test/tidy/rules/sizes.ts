import type { Finding, Module, Rule } from '../repository.ts';
import { dottedName, nodesOf, type SyntaxNode } from '../syntax.ts';

const functionLinesMax = 60;
const fileLinesMax = 300;
const columnsMax = 110;
/** SQL has no formatter to break lines, so a policy may stand on one. */
const sqlColumnsMax = 120;
const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
/** Made by drizzle-kit. */
const generatedSql = /^server\/src\/db\/migrations\/0000_/;

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
      modules.flatMap(({ path, text }) => {
        const lines = text.trimEnd().split('\n').length;
        return lines > fileLinesMax ? [{ path, line: 1, message: `${lines} lines` }] : [];
      }),
  },
  {
    name: `a line has at most ${columnsMax} columns`,
    why: 'two files side by side on a laptop',
    check: ({ files }) => [...files].flatMap(([path, text]) => longLines(path, text)),
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

function longLines(path: string, text: string): Finding[] {
  const isSql = path.endsWith('.sql');
  if (generatedSql.test(path) || !(isSql || /\.(ts|mts|mjs)$/.test(path))) return [];
  const max = isSql ? sqlColumnsMax : columnsMax;
  return text.split('\n').flatMap((line, index) => {
    return line.length > max ? [{ path, line: index + 1, message: `${line.length} columns` }] : [];
  });
}
