import { posix } from 'node:path';
import { domainOf, isTableFile, isTest } from '../paths.ts';
import type { Finding, Module, Repository, Rule } from '../repository.ts';
import { exportedValuesOf } from '../syntax.ts';
import { declaredTables } from './tables.ts';

const sections = ['Rules', 'Tables', 'Codes'];
/** The files every domain may have besides its use cases. */
const fixedFiles = new Set(['index.ts', 'schemas.ts', 'routes.ts']);

export const domainRules: Rule[] = [
  {
    name: 'a file of a domain exports what its name says, with a docstring',
    why: 'a rule is found by the name of its verb, and read as a contract',
    check: ({ modules }) => modules.filter(isOwnFile).flatMap(fileFindings),
  },
  {
    name: 'each domain explains itself',
    why: 'rules, tables and codes stand where the code is',
    check: (repository) => [...domainsOf(repository)].flatMap((domain) => readmeFindings(domain, repository)),
  },
];

function isOwnFile({ path }: Module): boolean {
  const place = domainOf(path);
  return place !== undefined && !isTest(path) && !isTableFile(path) && !fixedFiles.has(posix.basename(path));
}

function fileFindings(module: Module): Finding[] {
  const { path } = module;
  const values = exportedValuesOf(module);
  const expected = posix.basename(path, '.ts').replaceAll('-', '').replace(/s$/, '');
  const findings = values
    .filter(({ kind, docstring }) => kind === 'function' && docstring === '')
    .map(({ name, line }) => ({ path, line, message: `${name} has no docstring` }));
  // A file of words alone is called after one of them.
  const names = values.length > 0 ? values.map(({ name }) => name) : exportedTypesOf(module);
  if (!names.some((name) => name.toLowerCase().includes(expected))) {
    findings.push({ path, line: 1, message: 'exports nothing that has its name' });
  }
  return findings;
}

function exportedTypesOf({ text }: Module): string[] {
  return [...text.matchAll(/^export type (\w+)/gm)].map(([, name = '']) => name);
}

function domainsOf({ modules }: Repository): Set<string> {
  return new Set(modules.flatMap(({ path }) => domainOf(path)?.domain ?? []));
}

function readmeFindings(domain: string, repository: Repository): Finding[] {
  const path = `server/src/domains/${domain}/README.md`;
  const text = repository.files.get(path);
  if (text === undefined) return [{ path, line: 1, message: 'is missing' }];
  const missing = sections
    .filter((section) => !new RegExp(`^## .*\\b${section}\\b`, 'im').test(text))
    .map((section) => ({ path, line: 1, message: `has no section "${section}"` }));
  const unnamed = declaredTables(repository)
    .filter((table) => table.domain === domain && !text.includes(`\`${table.name}\``))
    .map(({ name }) => ({ path, line: 1, message: `does not name the table ${name}` }));
  return [...missing, ...unnamed];
}
