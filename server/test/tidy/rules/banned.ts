import { isTest } from '../paths.ts';
import type { Finding, Module, Rule } from '../repository.ts';
import { dottedName, nodesOf, type SyntaxNode } from '../syntax.ts';

/** What must not stand in a file: `where` selects the files, `found` the nodes of their syntax trees. */
type Ban = {
  what: string;
  where: (path: string) => boolean;
  found: (node: SyntaxNode, parents: SyntaxNode[]) => boolean;
};

const isServer = (path: string) => path.startsWith('server/src/') && !isTest(path);
/** Where the real clock is handed to everybody else, and where it is compared with the database's. */
const isWiring = (path: string) => /^server\/src\/(service|cli\/doctor)\.ts$/.test(path);
const mayPrint = (path: string) => /^server\/src\/(cli|reference)\/|^server\/src\/main\.ts$/.test(path);

const bans: Ban[] = [
  {
    what: 'Date.now(): the clock comes from ctx',
    where: (path) => isServer(path) && !isWiring(path),
    found: (node) => isCallOf(node, /^Date\.now$/),
  },
  {
    what: 'new Date() without arguments: the clock comes from ctx',
    where: (path) => isServer(path) && !isWiring(path),
    found: (node) =>
      node.type === 'NewExpression' && dottedName(node.callee) === 'Date' && node.arguments.length === 0,
  },
  {
    what: 'Math.random(): randomness comes from ctx, in tests from a printed seed',
    where: (path) => path.startsWith('server/'),
    found: (node) => isCallOf(node, /^Math\.random$/),
  },
  {
    what: 'console: the service logs through ctx.log',
    where: (path) => isServer(path) && !mayPrint(path),
    found: (node) => isCallOf(node, /^console\.\w+$/),
  },
  {
    what: 'parseFloat or toFixed: credits and money are whole numbers',
    where: isServer,
    found: (node) => isCallOf(node, /(^|\.)(parseFloat|toFixed)$/),
  },
  {
    what: 'a sleep: wait for the condition instead',
    where: isTest,
    found: (node, parents) => isCallOf(node, /(^|\.)setTimeout$/) && isInPromise(node, parents),
  },
  {
    what: 'a test switched off, or the others with it',
    where: isTest,
    found: (node) => isCallOf(node, /^(test|it|describe|suite)(\.\w+)*\.(only|skip|todo|fails)(\.|$)/),
  },
];

/** Built from pieces, so that this file does not say them itself. */
const marks = [
  ['TO', 'DO'],
  ['FIX', 'ME'],
  ['X', 'XX'],
  ['HA', 'CK'],
].map((pieces) => pieces.join(''));
const unfinished = new RegExp(`\\b(${marks.join('|')})\\b`);
const silencing =
  /^\s*(?:oxlint-|eslint-|@ts-(?:ignore|expect-error|nocheck)|prettier-ignore|v8 ignore|c8 ignore)/;

export const bannedRules: Rule[] = [
  {
    name: 'no banned calls',
    why: 'time, randomness, output and money go through what a test can hold in its hand',
    check: ({ modules }) => modules.flatMap(bannedNodes),
  },
  {
    name: 'nothing is left unfinished or silenced',
    why: 'an open end is an issue, and a check that is switched off checks nothing',
    check: ({ files, modules }) => [
      ...[...files].flatMap(unfinishedLines),
      ...modules.flatMap(silencedChecks),
    ],
  },
];

function isCallOf(node: SyntaxNode, name: RegExp): boolean {
  return node.type === 'CallExpression' && name.test(dottedName(node.callee));
}

/**
 * `new Promise((resolve) => setTimeout(resolve, …))`, or the promise that `node:timers/promises` returns,
 * awaited.
 */
function isInPromise(node: SyntaxNode, parents: SyntaxNode[]): boolean {
  const parent = parents.at(-1);
  if (parent?.type === 'AwaitExpression') return true;
  const isResolver = node.type === 'CallExpression' && node.arguments[0]?.type === 'Identifier';
  return (
    isResolver &&
    parents.some((outer) => outer.type === 'NewExpression' && dottedName(outer.callee) === 'Promise')
  );
}

function bannedNodes(module: Module): Finding[] {
  const active = bans.filter((ban) => ban.where(module.path));
  if (active.length === 0) return [];
  const findings: Finding[] = [];
  for (const [node, parents] of nodesOf(module.program)) {
    for (const { what, found } of active) {
      if (found(node, parents))
        findings.push({ path: module.path, line: module.lineAt(node.start), message: what });
    }
  }
  return findings;
}

function unfinishedLines([path, text]: [string, string]): Finding[] {
  if (path.endsWith('package-lock.json')) return [];
  return text.split('\n').flatMap((line, index) => {
    const found = unfinished.exec(line);
    return found ? [{ path, line: index + 1, message: `says ${found[1]}` }] : [];
  });
}

function silencedChecks(module: Module): Finding[] {
  return module.comments.flatMap((comment) => {
    const line = module.lineAt(comment.start);
    return silencing.test(comment.value.replace(/^\*/, ''))
      ? [{ path: module.path, line, message: `silences a check:${comment.value}` }]
      : [];
  });
}
