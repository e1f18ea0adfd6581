import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countOccurrences, type Mutant } from './mutant.ts';

const root = join(import.meta.dirname, '../../..');
/** What the ledger's tests need of the repository; packages are linked. */
const copied = ['server', 'stand-in', 'web', 'package.json', 'vitest.config.ts', 'tsconfig.json'];
const runMsMax = 1_200_000;

/** `broken`: the tests could not even begin, so nothing is known of the mutant. */
export type Verdict = { result: 'killed' | 'survived' | 'broken'; by: string; seconds: number };

/** A copy of the program of its own, in which one mutant after the other is made and tried. */
export type Trial = {
  /** Runs these test files, from the root of the repository, without any mutant. */
  runUnchanged(files: string[]): Promise<Verdict>;
  /** Makes the mutant, runs the files until the first failure, and takes the mutant back. */
  tryMutant(mutant: Mutant, stages: string[][]): Promise<Verdict>;
  remove(): Promise<void>;
};

/** Copies the program. Tests clone their databases in the PostgreSQL at `adminUrl`. */
export async function openTrial(adminUrl: string): Promise<Trial> {
  const dir = await mkdtemp(join(tmpdir(), 'obol-mutants-'));
  for (const name of copied) await cp(join(root, name), join(dir, name), { recursive: true });
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
  return {
    runUnchanged: (files) => runTests(dir, adminUrl, files, []),
    async tryMutant(mutant, stages) {
      const path = join(dir, mutant.file);
      const text = await readFile(path, 'utf8');
      if (countOccurrences(text, mutant.find) !== 1)
        return { result: 'broken', by: `its text is not exactly once in ${mutant.file}`, seconds: 0 };
      await writeFile(
        path,
        text.replace(mutant.find, () => mutant.replace),
      );
      let verdict: Verdict = { result: 'survived', by: '', seconds: 0 };
      for (const files of stages) {
        const { seconds } = verdict;
        verdict = await runTests(dir, adminUrl, files, ['--bail=1']);
        verdict.seconds += seconds;
        if (verdict.result !== 'survived') break;
      }
      await writeFile(path, text);
      return verdict;
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** Runs test files in a copy. A run that does not end counts as a failure: the mutant has been noticed. */
async function runTests(dir: string, adminUrl: string, files: string[], options: string[]): Promise<Verdict> {
  const reportPath = join(dir, `report-${randomUUID()}.json`);
  const startedAt = performance.now();
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--maxWorkers=1', ...options];
  const reporter = ['--reporter=json', `--outputFile=${reportPath}`];
  const child = spawn(process.execPath, [...vitest, ...reporter, ...files], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: { ...process.env, OBOL_TEST_BACKEND: 'embedded', OBOL_TEST_ADMIN_URL: adminUrl },
  });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  let isTimeout = false;
  const timer = setTimeout(() => {
    isTimeout = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, runMsMax);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  clearTimeout(timer);
  const seconds = (performance.now() - startedAt) / 1000;
  if (isTimeout) return { result: 'killed', by: 'the tests did not end', seconds };
  if (code === 0) return { result: 'survived', by: '', seconds };
  const by = await firstFailure(reportPath);
  return by === undefined
    ? { result: 'broken', by: complaints.trim().slice(0, 500), seconds }
    : { result: 'killed', by, seconds };
}

type Report = {
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
};

const fileOf = (name: string): string => name.split('/').slice(-1).join('');

/** The first test that failed, or the file that failed as a whole; undefined when none had begun. */
async function firstFailure(reportPath: string): Promise<string | undefined> {
  const text = await readFile(reportPath, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { testResults }: Report = JSON.parse(text);
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.find((test) => test.status === 'failed');
    if (failed) return `${fileOf(name)}: ${failed.fullName.trim()}`;
  }
  // Files that were not begun because of `--bail` have failed, too, but have nothing to say.
  const failed = testResults.find(({ status, message }) => status === 'failed' && message !== '');
  return failed && `${fileOf(failed.name)}: ${failed.message.split('\n')[0]}`;
}
