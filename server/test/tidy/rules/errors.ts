import { isTest } from '../paths.ts';
import type { Finding, Repository, Rule } from '../repository.ts';
import { nodesOf, textsOf } from '../syntax.ts';

const tablePath = 'server/src/errors.ts';
const refusal = /\bobol\.refuse\(\s*'([^']+)'/g;
const promised = /\bThrows?\b[^.]*?((?:`[a-z_]+\.[a-z_0-9]+`(?:,| and| or|\s)*)+)/g;

export const errorRules: Rule[] = [
  {
    name: 'every error code that is used exists, and every code that exists is used',
    why: 'a client may rely on the table, and the table is not longer than the truth',
    check: (repository) => [...unknownCodes(repository), ...unusedCodes(repository)],
  },
];

/** The codes of the table, with their lines: the keys of the object that `errorTable` is. */
function codesOf({ modules }: Repository): Map<string, number> {
  const table = modules.find(({ path }) => path === tablePath);
  const codes = new Map<string, number>();
  if (!table) return codes;
  for (const [node] of nodesOf(table.program)) {
    if (node.type !== 'Property' || node.key.type !== 'Literal') continue;
    const key = String(node.key.value);
    if (/^[a-z_]+\.[a-z_0-9]+$/.test(key)) codes.set(key, table.lineAt(node.start));
  }
  return codes;
}

function unknownCodes(repository: Repository): Finding[] {
  const codes = codesOf(repository);
  const findings: Finding[] = [];
  const judge = (path: string, line: number, code: string) => {
    if (!codes.has(code)) findings.push({ path, line, message: `${code} is not in the table of errors` });
  };
  for (const [path, text] of repository.files) {
    if (!/^server\/src\/.*\.(sql|ts)$/.test(path)) continue;
    text.split('\n').forEach((line, index) => {
      for (const [, code = ''] of line.matchAll(refusal)) judge(path, index + 1, code);
      for (const [, list = ''] of line.matchAll(promised)) {
        for (const [, code = ''] of list.matchAll(/`([^`]+)`/g)) judge(path, index + 1, code);
      }
    });
  }
  for (const [path, text] of repository.files) {
    const before = /^## .*\bcodes\b/im.exec(text);
    if (!/^server\/src\/domains\/[^/]+\/README\.md$/.test(path) || !before) continue;
    const lineOfSection = text.slice(0, before.index).split('\n').length;
    const section = text.slice(before.index).split(/\n## /)[0] ?? '';
    section.split('\n').forEach((line, index) => {
      const code = /^\| `([^`]+)` \|/.exec(line)?.[1];
      if (code !== undefined) judge(path, lineOfSection + index, code);
    });
  }
  return findings;
}

function unusedCodes(repository: Repository): Finding[] {
  const used = new Set<string>();
  for (const module of repository.modules) {
    if (module.path === tablePath || !module.path.startsWith('server/src/') || isTest(module.path)) continue;
    for (const { text } of textsOf(module)) used.add(text);
  }
  for (const [path, text] of repository.files) {
    if (!path.endsWith('.sql')) continue;
    for (const [, literal = ''] of text.matchAll(/'([a-z_]+\.[a-z_0-9]+)'/g)) used.add(literal);
  }
  return [...codesOf(repository)]
    .filter(([code]) => !used.has(code))
    .map(([code, line]) => ({ path: tablePath, line, message: `${code} is never given` }));
}
