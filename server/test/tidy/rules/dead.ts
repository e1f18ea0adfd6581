import { posix } from 'node:path';
import { isTableFile, isTest } from '../paths.ts';
import type { Finding, Module, Repository, Rule } from '../repository.ts';
import { exportedValuesOf, textsOf } from '../syntax.ts';

/**
 * Read by a tool under their own names: configuration of tools, the tables, which drizzle-kit loads, and what
 * the build of the pages hands to the server.
 */
const readByTools =
  /\.config\.ts$|^server\/src\/db\/columns\.ts$|^server\/test\/harness\/global-setup\.ts$|^web\/src\/render\.tsx$/;

const isReadByTools = (path: string) => readByTools.test(path) || isTableFile(path);

export const deadRules: Rule[] = [
  {
    name: 'no dead files',
    why: 'what nobody runs nobody keeps right',
    check: (repository) => {
      const alive = referencedFiles(repository);
      return repository.modules
        .filter(({ path }) => !isTest(path) && !isReadByTools(path) && !alive.has(path))
        .map(({ path }) => ({ path, line: 1, message: 'is imported and started by nobody' }));
    },
  },
  {
    name: 'no dead exports',
    why: 'an export is a promise to somebody',
    check: (repository) => repository.modules.flatMap((module) => deadExports(module, repository)),
  },
];

/** Files that product code imports, and files that a script, a setting or a command names. */
function referencedFiles({ files, modules }: Repository): Set<string> {
  const alive = new Set<string>();
  for (const module of modules) {
    const isUser = !isTest(module.path);
    for (const { target } of module.imports) {
      if (target && (isUser || module.path.startsWith('server/test/') || !target.startsWith('server/src/')))
        alive.add(target);
    }
    if (isTest(module.path) || module.path.startsWith('server/test/tidy/')) continue;
    for (const { text } of textsOf(module)) {
      if (!/\.(ts|tsx|mts|mjs)$/.test(text)) continue;
      for (const base of ['', 'web', posix.dirname(module.path)]) alive.add(posix.join(base, text));
    }
  }
  for (const [path, text] of files) {
    if (!/(^|\/)package\.json$|^\.ci\/|Dockerfile$|compose\.ya?ml$/.test(path)) continue;
    for (const [named] of text.matchAll(/[\w./-]+\.(?:ts|mts|mjs)\b/g))
      alive.add(posix.join(posix.dirname(path), named));
  }
  return alive;
}

function deadExports(module: Module, { modules }: Repository): Finding[] {
  if (isReadByTools(module.path) || isTest(module.path)) return [];
  const used = new Set(
    modules.flatMap(({ imports }) =>
      imports.filter(({ target }) => target === module.path).flatMap(({ names }) => names),
    ),
  );
  if (used.has('*')) return [];
  return exportedValuesOf(module)
    .filter(({ name }) => !used.has(name))
    .map(({ name, line }) => ({ path: module.path, line, message: `nobody imports ${name}` }));
}
