import type { Finding, Repository, Rule } from '../repository.ts';

const recordPath = 'docs/decisions/dependencies.md';
const licences = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'MPL-2.0',
]);
/** Built in pieces, so that this file does not name what it forbids. */
const hostPath = new RegExp(
  `(^|[\\s"'\`(=:])/(?:${['work', 'home', 'Users', 'root', 'mnt'].join('|')})/[\\w.-]`,
);
const registry = new RegExp(['registry', 'npmjs', 'org'].join('\\.'));

type Manifest = {
  [kind in 'dependencies' | 'devDependencies' | 'optionalDependencies']?: Record<string, string>;
};

export const packageRules: Rule[] = [
  {
    name: 'the lock file holds no download addresses',
    why: 'an install uses the registry that the machine is configured for',
    check: ({ files }) =>
      linesOf(
        files,
        (path) => path.endsWith('package-lock.json'),
        /"resolved":\s*"https?:/,
        'names where to download from',
      ),
  },
  {
    name: 'nothing depends on one machine',
    why: 'a clone works wherever it lies',
    check: ({ files }) => [
      ...linesOf(files, isNotLock, hostPath, 'names a path of one machine'),
      ...linesOf(files, isNotLock, registry, 'names a registry'),
    ],
  },
  {
    name: 'every direct dependency is pinned and accounted for',
    why: 'a dependency is a decision: version, licence, reason',
    check: (repository) =>
      [...repository.files].flatMap(([path, text]) => manifestFindings(path, text, repository)),
  },
];

function isNotLock(path: string): boolean {
  return !path.endsWith('package-lock.json');
}

function linesOf(
  files: Repository['files'],
  where: (path: string) => boolean,
  pattern: RegExp,
  message: string,
): Finding[] {
  return [...files]
    .filter(([path]) => where(path))
    .flatMap(([path, text]) =>
      text
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [{ path, line: index + 1, message }] : [])),
    );
}

function manifestFindings(path: string, text: string, { files }: Repository): Finding[] {
  if (!/(^|\/)package\.json$/.test(path)) return [];
  const manifest = JSON.parse(text) as Manifest;
  const rows = (files.get(recordPath) ?? '')
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim()));
  const direct = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
  return Object.entries(direct)
    .filter(([name]) => !name.startsWith('@obol/'))
    .flatMap(([name, version]) => {
      const finding = (message: string) => [{ path, line: 1, message: `${name} ${message}` }];
      if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) return finding(`is not pinned: ${version}`);
      const row = rows.find((cells) => cells[1] === name);
      if (!row) return finding(`has no line in ${recordPath}`);
      if (row[2] !== version) return finding(`is ${version}, but ${recordPath} says ${row[2]}`);
      if (!licences.has(row[3] ?? '')) return finding(`has a licence that is not accepted: ${row[3]}`);
      return (row[4] ?? '') === '' ? finding(`has no reason in ${recordPath}`) : [];
    });
}
