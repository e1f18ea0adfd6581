import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedBackend } from '../harness/backends/embedded.ts';
import { openScratchDir } from '../harness/backends/scratch.ts';
import { mutants } from './index.ts';
import type { Mutant } from './mutant.ts';
import { openTrial, type Verdict } from './trial.ts';

// `npm run test:mutants`: makes each mutant in a copy of the program and runs the ledger's tests on it. Every
// one must be noticed, or the exit code is 1. `npm run test:mutants -- "word of a name"` tries some of them.

const root = join(import.meta.dirname, '../../..');
const credits = 'server/src/domains/credits';
const copies = 2;

const help = `Tries the hand-made mutants of the ledger: each must be noticed by a test. Takes about twenty minutes.

  npm run test:mutants                     all of them
  npm run test:mutants -- "part of a name" those whose names contain it
`;
const { positionals: wanted, values } = parseArgs({
  options: { help: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const chosen = mutants.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);
if (values.help || chosen.length === 0) {
  process.stdout.write(values.help ? help : `No mutant has such a name.\n\n${help}`);
  process.exit(values.help ? 0 : 1);
}
const verdicts = new Map<Mutant, Verdict>();
const startedAt = performance.now();

const scratch = await openScratchDir();
const backend = await startEmbeddedBackend(scratch.dir);
try {
  const all = await ledgerTests();
  const rest = [...chosen];
  const tryRest = () => tryNext(rest, all);
  const proved = proveUnchanged(wanted.length === 0 ? all : likelyTests(chosen));
  await Promise.all([proved.then(tryRest), ...Array.from({ length: copies - 1 }, tryRest)]);
} finally {
  await backend.stop();
  await scratch.remove();
}
summarise();

/** Without a mutant all tests pass; else a failure would mean nothing. */
async function proveUnchanged(files: string[]): Promise<void> {
  const trial = await openTrial(backend.adminUrl);
  const { result, by, seconds } = await trial.runUnchanged(files);
  await trial.remove();
  print(`without a mutant: ${result === 'survived' ? 'all pass' : `FAIL, ${by}`} (${seconds.toFixed(0)} s)`);
  if (result !== 'survived') throw new Error('The tests must pass before mutants can be tried.');
}

/** Tries mutants off the list until it is empty. */
async function tryNext(rest: Mutant[], all: string[]): Promise<void> {
  const trial = await openTrial(backend.adminUrl);
  for (let mutant = rest.shift(); mutant; mutant = rest.shift()) {
    const likely = likelyTests([mutant]);
    const others = all.filter((file) => !likely.includes(file));
    const verdict = await trial.tryMutant(mutant, [likely, others]);
    verdicts.set(mutant, verdict);
    const { result, by, seconds } = verdict;
    const place = `${verdicts.size}/${chosen.length}`;
    print(
      `${place} ${result === 'killed' ? 'killed' : result.toUpperCase()} (${seconds.toFixed(0)} s) ${mutant.name}`,
    );
    if (by !== '') print(`      ${by}`);
  }
  await trial.remove();
}

function likelyTests(list: Mutant[]): string[] {
  return [...new Set(list.flatMap(({ tests }) => tests.map((test) => join(credits, test))))];
}

/** Every test file of the ledger, from the root of the repository. */
async function ledgerTests(): Promise<string[]> {
  const entries = await readdir(join(root, credits), { recursive: true, withFileTypes: true });
  return entries
    .filter(({ name }) => name.endsWith('.test.ts'))
    .map(({ parentPath, name }) => relative(root, join(parentPath, name)))
    .sort();
}

function summarise(): void {
  const open = [...verdicts].filter(([, { result }]) => result !== 'killed');
  for (const [{ name, file }, { result, by }] of open)
    print(`${result.toUpperCase()}: ${name} (${file}) ${by}`);
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  print(`${verdicts.size - open.length} of ${chosen.length} mutants killed in ${minutes} minutes.`);
  if (open.length > 0 || chosen.length === 0) process.exitCode = 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
