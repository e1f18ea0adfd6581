import { domainOf, isTableFile, isTest } from '../paths.ts';
import type { Finding, Repository, Rule } from '../repository.ts';
import { dottedName, nodesOf, textsOf, type SyntaxNode } from '../syntax.ts';

export type DeclaredTable = { name: string; domain: string; path: string; line: number };

const writing =
  /\b(?:insert\s+into|update|delete\s+from|truncate(?:\s+table)?)\s+(?:only\s+)?([a-z_]+\.[a-z_]+)\b/gi;
const migrationFile = /^server\/src\/db\/migrations\/\d{4}_(\w+)\.sql$/;

export const tableRules: Rule[] = [
  {
    name: 'each table has one owner',
    why: 'the rules of a table stand in one place, and nobody else writes to it',
    check: (repository) => [...doubleOwners(repository), ...foreignWrites(repository)],
  },
];

/** Every table that a tables.ts declares (`authSchema.table('users', …)`), with the domain that owns it. */
export function declaredTables({ modules }: Repository): DeclaredTable[] {
  return modules
    .filter((module) => isTableFile(module.path))
    .flatMap((module) =>
      [...nodesOf(module.program)].flatMap(([node]) => {
        const name = tableDeclaredBy(node);
        const domain = domainOf(module.path)?.domain ?? '';
        return name ? [{ name, domain, path: module.path, line: module.lineAt(node.start) }] : [];
      }),
    );
}

function tableDeclaredBy(node: SyntaxNode): string | undefined {
  if (node.type !== 'CallExpression') return undefined;
  const schema = /^(\w+)Schema\.table$/.exec(dottedName(node.callee))?.[1];
  const [argument] = node.arguments;
  if (!schema || argument?.type !== 'Literal') return undefined;
  return `${schema}.${String(argument.value)}`;
}

function doubleOwners(repository: Repository): Finding[] {
  const owners = new Map<string, DeclaredTable>();
  return declaredTables(repository).flatMap((table) => {
    const first = owners.get(table.name);
    owners.set(table.name, first ?? table);
    return first ? [{ ...table, message: `${table.name} is declared in ${first.path} already` }] : [];
  });
}

/**
 * Statements that write to another domain's table, in the domain's code or in the migration that has its
 * name.
 */
function foreignWrites(repository: Repository): Finding[] {
  const owners = new Map(
    declaredTables(repository)
      .toReversed()
      .map(({ name, domain }) => [name, domain]),
  );
  const domains = new Set(owners.values());
  const findings: Finding[] = [];
  const judge = (path: string, line: number, text: string, domain: string) => {
    for (const [, table = ''] of text.matchAll(writing)) {
      const owner = owners.get(table.toLowerCase());
      if (owner === undefined || owner === domain) continue;
      findings.push({ path, line, message: `writes to ${table}, which ${owner} owns` });
    }
  };
  for (const module of repository.modules) {
    const domain = domainOf(module.path)?.domain;
    if (domain === undefined || isTest(module.path)) continue;
    for (const { text, line } of textsOf(module)) judge(module.path, line, text, domain);
  }
  for (const [path, text] of repository.files) {
    const domain = migrationFile.exec(path)?.[1]?.replaceAll('_', '-') ?? '';
    if (!domains.has(domain)) continue;
    withoutComments(text)
      .split('\n')
      .forEach((line, index) => judge(path, index + 1, line, domain));
  }
  return findings;
}

/** SQL with its comments blanked out, lines kept. */
function withoutComments(sql: string): string {
  return sql.replaceAll(/--[^\n]*/g, '');
}
