import { isTableFile } from '../paths.ts';
import type { Finding, Module, Rule } from '../repository.ts';
import { dottedName, nodesOf, textsOf } from '../syntax.ts';

const routeLinesMax = 15;
const routeCall = /^\w+\.(get|post|put|patch|delete|head|options|route|all)$/;
/** Tables and functions are always named with their schema, which plain English never does. */
const statement =
  /\b(?:(?:select\b[\s\S]+\bfrom|insert\s+into|update|delete\s+from)\s+|select\s+)[a-z_]+\.[a-z_]+\b/i;

export const routeRules: Rule[] = [
  {
    name: 'a route holds no SQL',
    why: 'a route says who may call and with what; the work is one use case, found by its name',
    check: ({ modules }) =>
      modules.filter(isRoutes).flatMap((module) => [...foreignImports(module), ...sqlIn(module)]),
  },
  {
    name: `a route has at most ${routeLinesMax} lines`,
    why: 'schema, authentication, limits and one call fit; more is a use case that has not been named yet',
    check: ({ modules }) => modules.filter(isRoutes).flatMap(longRoutes),
  },
];

function isRoutes(module: Module): boolean {
  return module.path.endsWith('/routes.ts');
}

function foreignImports(module: Module): Finding[] {
  return module.imports
    .filter(({ specifier, target }) => /^(drizzle-orm|pg)(\/|$)/.test(specifier) || isTableFile(target))
    .map(({ specifier, line }) => ({ path: module.path, line, message: `imports ${specifier}` }));
}

function sqlIn(module: Module): Finding[] {
  const findings: Finding[] = [];
  for (const { text, line } of textsOf(module)) {
    if (statement.test(text)) findings.push({ path: module.path, line, message: 'holds a statement' });
  }
  for (const [node] of nodesOf(module.program)) {
    if (node.type !== 'MemberExpression' || !/(^|\.)(db|tx)$/.test(dottedName(node))) continue;
    findings.push({
      path: module.path,
      line: module.lineAt(node.start),
      message: `uses ${dottedName(node)}`,
    });
  }
  return findings;
}

function longRoutes(module: Module): Finding[] {
  const findings: Finding[] = [];
  for (const [node] of nodesOf(module.program)) {
    if (
      node.type !== 'CallExpression' ||
      !routeCall.test(dottedName(node.callee)) ||
      node.arguments.length === 0
    ) {
      continue;
    }
    const [first, last] = [module.lineAt(node.start), module.lineAt(node.end)];
    const lines = last - first + 1;
    if (lines > routeLinesMax) findings.push({ path: module.path, line: first, message: `${lines} lines` });
  }
  return findings;
}
