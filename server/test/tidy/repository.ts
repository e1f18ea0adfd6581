import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import { parseSync, type Comment, type Program } from 'oxc-parser';

/** Something that breaks a rule, and where. */
export type Finding = { path: string; line: number; message: string };

/** A rule of the house: what must hold (`name`), what for (`why`), and how it is checked. */
export type Rule = { name: string; why: string; check(repository: Repository): Finding[] };

/**
 * An import or re-export. `target` is the file meant when it is one of ours, `names` what is taken from it.
 */
export type Import = {
  specifier: string;
  target: string | undefined;
  names: string[];
  typeOnly: boolean;
  line: number;
};

/** A TypeScript or JavaScript file with its syntax tree. */
export type Module = {
  path: string;
  text: string;
  program: Program;
  comments: Comment[];
  imports: Import[];
  lineAt(offset: number): number;
};

/** The files of the product by their path from the root; the rules see nothing else. */
export type Repository = { files: ReadonlyMap<string, string>; modules: readonly Module[] };

const rootDir = join(import.meta.dirname, '../../..');
const ignoredDirs = new Set(['node_modules', '.git', 'data', 'coverage', 'dist', 'results']);
const textFile =
  /\.(ts|tsx|mts|js|mjs|cjs|json|sql|md|ya?ml|sh|css|html|toml|example|npmrc)$|^\.ci\/|(^|\/)[A-Z]+file$/;

/** Documents show them, so they are there to the rules, without a text. */
const image = /\.png$/;

/** Reads every text file of the checkout that belongs to the product. */
export function readRepository(): Repository {
  const files: Record<string, string> = {};
  const visit = (dir: string) => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      const name = relative(rootDir, path).replaceAll('\\', '/');
      if (entry.isDirectory()) {
        if (!ignoredDirs.has(entry.name)) visit(path);
      } else if (textFile.test(name) || name === 'LICENSE') files[name] = readFileSync(path, 'utf8');
      else if (image.test(name)) files[name] = '';
    }
  };
  visit(rootDir);
  return makeRepository(files);
}

/** A repository from texts: what `readRepository` returns, and what the fixtures of the rules are made of. */
export function makeRepository(files: Record<string, string>): Repository {
  const modules = Object.entries(files)
    .filter(([path]) => /\.(ts|tsx|mts|mjs)$/.test(path))
    .map(([path, text]) => parseModule(path, text));
  return { files: new Map(Object.entries(files)), modules };
}

function parseModule(path: string, text: string): Module {
  const { program, module, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  const lineAt = lineFinder(text);
  const imports = module.staticImports.map((item) =>
    importOf(path, {
      specifier: item.moduleRequest.value,
      names: item.entries.map(
        ({ importName: { name } }) => name ?? nameless(text.slice(item.start, item.end)),
      ),
      typeOnly: item.entries.length > 0 && item.entries.every((entry) => entry.isType),
      line: lineAt(item.start),
    }),
  );
  for (const item of module.staticExports) {
    for (const entry of item.entries) {
      if (!entry.moduleRequest) continue;
      const names = [entry.importName.name ?? '*'];
      const reexport = {
        specifier: entry.moduleRequest.value,
        names,
        typeOnly: entry.isType,
        line: lineAt(item.start),
      };
      imports.push(importOf(path, reexport));
    }
  }
  for (const item of module.dynamicImports) {
    const literal = /^['"`]([^'"`$]+)['"`]$/.exec(
      text.slice(item.moduleRequest.start, item.moduleRequest.end),
    );
    const specifier = literal?.[1];
    if (specifier === undefined) continue;
    imports.push(importOf(path, { specifier, names: ['*'], typeOnly: false, line: lineAt(item.start) }));
  }
  return { path, text, program, comments, imports, lineAt };
}

/** `import * as x` takes everything, `import x` the default. */
function nameless(statement: string): string {
  return /\*\s*as\b/.test(statement) ? '*' : 'default';
}

function importOf(path: string, found: Omit<Import, 'target'>): Import {
  const isOurs = found.specifier.startsWith('.');
  return { ...found, target: isOurs ? posix.join(posix.dirname(path), found.specifier) : undefined };
}

/** Line number, from 1, of an offset in `text`. */
function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let line = 0;
    while (line + 1 < starts.length && (starts[line + 1] ?? 0) <= offset) line++;
    return line + 1;
  };
}
