import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readMigrations } from '../db/migrate.ts';
import type { Catalogue, Named, SqlFunction, Table } from './catalogue.ts';
import { cell } from './configuration.ts';

const domainsDir = join(import.meta.dirname, '../domains');

/** What the source says about tables and functions, by qualified name. */
export type Comments = { tables: Map<string, string>; functions: Map<string, string> };

/** Reads the comments above the tables in tables.ts files and above the functions in migrations. */
export async function readComments(): Promise<Comments> {
  const tables = new Map<string, string>();
  const names = await readdir(domainsDir, { recursive: true });
  for (const file of names.filter((name) => name.endsWith('tables.ts'))) {
    const text = await readFile(join(domainsDir, file), 'utf8');
    const declared = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export const \w+ = (\w+)Schema\.table\(\s*'(\w+)'/g;
    for (const [, comment = '', schema, name] of text.matchAll(declared)) {
      tables.set(`${schema}.${name}`, comment.replaceAll(/\n\s*\*/g, '').trim());
    }
  }
  const functions = new Map<string, string>();
  for (const { sql } of await readMigrations()) {
    const declared = /((?:^--.*\n)+)create (?:or replace )?function ([a-z_]+\.[a-z_0-9]+)/gm;
    for (const [, comment = '', name = ''] of sql.matchAll(declared)) {
      functions.set(name, comment.replaceAll(/^-- ?/gm, '').trim().replaceAll('\n', ' '));
    }
  }
  return { tables, functions };
}

/** `docs/reference/schema.md`: the migrated database as it is, with what the source says about it. */
export function renderSchema(catalogue: Catalogue, comments: Comments): string {
  const schemas = Map.groupBy(catalogue.tables, ({ schema }) => schema);
  const functions = Map.groupBy(catalogue.functions, ({ schema }) => schema);
  const names = [...new Set([...schemas.keys(), ...functions.keys()])].toSorted();
  const sections = names.flatMap((schema) => [
    `## Schema ${schema}`,
    ...(schemas.get(schema) ?? []).map((table) => renderTable(table, comments)),
    ...renderFunctions(functions.get(schema) ?? [], comments),
  ]);
  return [
    '# Database schema',
    'Read from a migrated database. Row-level security is enabled and forced on every table; the service works as ' +
      '`obol_app` and has the privileges named here and no others. The schema `pgboss` belongs to the job queue; its ' +
      'tables are protected in the same way.',
    ...sections,
    '',
  ].join('\n\n');
}

function renderTable(table: Table, comments: Comments): string {
  const name = `${table.schema}.${table.name}`;
  const columns = table.columns.map(
    (column) =>
      `| \`${column.name}\` | ${column.type} | ${column.isNullable ? 'yes' : 'no'} | ${codeOrNothing(column.fallback)} |`,
  );
  return [
    `### ${name}`,
    ...(comments.tables.has(name) ? ['', comments.tables.get(name)] : []),
    '',
    '| column | type | null | default |',
    '|---|---|---|---|',
    ...columns,
    '',
    ...renderList('Constraints', table.constraints),
    ...renderList('Indexes', table.indexes),
    ...renderList('Triggers', table.triggers),
    ...renderList('Policies', table.policies),
    `Privileges of \`obol_app\`: ${table.grants.join(', ') || 'none'}.`,
  ].join('\n');
}

function renderList(title: string, items: Named[]): string[] {
  if (items.length === 0) return [];
  return [`${title}:`, '', ...items.map(({ name, definition }) => `- \`${name}\`: \`${definition}\``), ''];
}

function renderFunctions(functions: SqlFunction[], comments: Comments): string[] {
  if (functions.length === 0) return [];
  const rows = functions.map((item) => {
    const name = `${item.schema}.${item.name}`;
    const runsAs = item.isDefiner ? 'the owner' : 'the caller';
    const meaning = cell(comments.functions.get(name) ?? '');
    const call = cell(`${name}(${item.arguments}) → ${item.result}`);
    return `| \`${call}\` | ${runsAs} | ${item.isGranted ? 'yes' : 'no'} | ${meaning} |`;
  });
  const head = ['| function | runs as | obol_app may call it | meaning |', '|---|---|---|---|'];
  return [[`### Functions of ${functions[0]?.schema}`, '', ...head, ...rows].join('\n')];
}

function codeOrNothing(text: string | null): string {
  return text === null ? '' : `\`${cell(text)}\``;
}
