import { posix } from 'node:path';
import type { Finding, Module, Repository, Rule } from '../repository.ts';
import { codePiecesOf, headingsOf, linksOf, type Piece } from '../markdown.ts';
import { dottedName, nodesOf } from '../syntax.ts';

/** What npm itself brings. */
const npmCommands = new Set(['install', 'ci', 'exec', 'version', 'ls', 'i']);
/** Made at run time, or by the operator. */
const madeLater = /^(\.env|data|node_modules|bench\/results)(\/|$)/;
const sourceFile = /^[\w.@<>*-]+(\/[\w.@<>*-]+)*\.(ts|mjs|sql|md|json|ya?ml|txt|sh)$/;
const sourceDir = /^[\w.@<>*-]+(\/[\w.@<>*-]+)*\/$/;

export const documentRules: Rule[] = [
  {
    name: 'every command in Markdown exists',
    why: 'what a newcomer pastes first works',
    check: (repository) => {
      const judge = commandJudge(repository);
      return findIn(repository, codePiecesOf, judge);
    },
  },
  {
    name: 'every path and link in Markdown exists',
    why: 'documentation that points nowhere has drifted from the code',
    check: (repository) => [
      ...findIn(repository, codePiecesOf, (piece, path) => missingPath(piece, path, repository)),
      ...findIn(repository, linksOf, (piece, path) => brokenLink(piece.text, path, repository)),
    ],
  },
  {
    name: 'every page of docs/ can be reached by a link',
    why: 'a page that nothing leads to is not read, and so not kept right',
    check: (repository) => unreachablePages(repository),
  },
];

function findIn(
  { files }: Repository,
  piecesOf: (text: string) => Piece[],
  judge: (piece: Piece, path: string) => string[],
): Finding[] {
  return [...files]
    .filter(([path]) => path.endsWith('.md'))
    .flatMap(([path, text]) =>
      piecesOf(text).flatMap((piece) =>
        judge(piece, path).map((message) => ({ path, line: piece.line, message })),
      ),
    );
}

function unreachablePages({ files }: Repository): Finding[] {
  const linked = new Set<string>();
  for (const [path, text] of files) {
    if (!path.endsWith('.md')) continue;
    for (const { text: link } of linksOf(text)) linked.add(linkTarget(link, path));
  }
  return [...files.keys()]
    .filter((path) => /^docs\/.*\.md$/.test(path) && !linked.has(path) && !linked.has(posix.dirname(path)))
    .map((path) => ({ path, line: 1, message: 'no page links here' }));
}

function linkTarget(link: string, path: string): string {
  const target = link.split('#')[0] ?? '';
  return target === '' ? path : posix.join(posix.dirname(path), target).replace(/\/$/, '');
}

function commandJudge(repository: Repository): (piece: Piece) => string[] {
  const scripts = npmScriptsOf(repository);
  const commands = obolCommandsOf(repository);
  return ({ text }) => {
    const missing: string[] = [];
    for (const [, flags = '', name = ''] of text.matchAll(/\bnpm run((?:\s+-{1,2}\w[\w-]*)*)\s+([\w:-]+)/g)) {
      if (!scripts.has(name)) missing.push(`npm run${flags} ${name}: no such script`);
    }
    for (const [, name = ''] of text.matchAll(/(?:^|&&|;|\$)\s*npm\s+([a-z]+)\b/g)) {
      if (name !== 'run' && !npmCommands.has(name) && !scripts.has(name))
        missing.push(`npm ${name}: no such script`);
    }
    for (const [, words = ''] of text.matchAll(
      /(?:(?:^|[&;|$])\s*(?:npx\s+)?obol|npm run obol --)((?:\s+[a-z][a-z-]*)*)/g,
    )) {
      const [first = '', second = ''] = words.trim().split(/\s+/);
      if (first === '') continue;
      const subcommands = commands.get(first);
      if (!subcommands) missing.push(`obol ${first}: no such command`);
      else if (second !== '' && subcommands.size > 0 && !subcommands.has(second)) {
        missing.push(`obol ${first} ${second}: no such command`);
      }
    }
    return missing;
  };
}

function npmScriptsOf({ files }: Repository): Set<string> {
  const manifests = [...files].filter(([path]) => /(^|\/)package\.json$/.test(path));
  return new Set(
    manifests.flatMap(([, text]) =>
      Object.keys((JSON.parse(text) as { scripts?: Record<string, string> }).scripts ?? {}),
    ),
  );
}

/** The commands of `obol`, each with its subcommands, as server/src/cli declares them. */
function obolCommandsOf({ modules }: Repository): Map<string, Set<string>> {
  const commands = new Map<string, Set<string>>();
  for (const module of modules.filter(({ path }) => path.startsWith('server/src/cli/'))) {
    let top = '';
    for (const { name, isTop } of declaredCommands(module)) {
      if (isTop) commands.set((top = name), new Set());
      else commands.get(top)?.add(name);
    }
  }
  return commands;
}

/** `new Command('keys')` and `….command('rotate <kind>')`, in the order of the text. */
function declaredCommands(module: Module): { name: string; isTop: boolean; start: number }[] {
  return [...nodesOf(module.program)]
    .flatMap(([node]) => {
      if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return [];
      const [argument] = node.arguments;
      const isTop = node.type === 'NewExpression' && dottedName(node.callee) === 'Command';
      const isSub = node.callee.type === 'MemberExpression' && dottedName(node.callee.property) === 'command';
      if (argument?.type !== 'Literal' || !(isTop || isSub)) return [];
      return [{ name: String(argument.value).split(' ')[0] ?? '', isTop, start: argument.start }];
    })
    .toSorted((one, other) => one.start - other.start);
}

/** Files and folders that a piece of code names as such. `<domain>` and `*` stand for any name. */
function missingPath({ text, isBlock }: Piece, path: string, repository: Repository): string[] {
  const words = isBlock ? [] : [text.trim()];
  return words
    .filter((word) => (sourceFile.test(word) || sourceDir.test(word)) && !madeLater.test(word))
    .filter((word) => !exists(word, path, repository))
    .map((word) => `${word} does not exist`);
}

function exists(word: string, path: string, { files }: Repository): boolean {
  const pattern = word.replaceAll(/[.+]/g, '\\$&').replaceAll(/<[\w-]+>|\*/g, '[^/]+');
  const tail = new RegExp(`(^|/)${pattern}${word.endsWith('/') ? '' : '$'}`);
  const beside = posix.join(posix.dirname(path), word);
  return files.has(beside) || [...files.keys()].some((file) => tail.test(file));
}

function brokenLink(link: string, path: string, { files }: Repository): string[] {
  const anchor = link.split('#')[1];
  const file = linkTarget(link, path);
  const isFolder = [...files.keys()].some((name) => name.startsWith(`${file}/`));
  if (!files.has(file) && !isFolder) return [`the link ${link} leads nowhere`];
  if (anchor === undefined || !file.endsWith('.md')) return [];
  return headingsOf(files.get(file) ?? '').has(anchor) ? [] : [`${file} has no heading for #${anchor}`];
}
