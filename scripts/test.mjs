// `npm test`: every suite on the embedded PostgreSQL and, when that is green, on Debian's PostgreSQL 15
// behind PgBouncer, with Redis. `npm test -- server/test/http.test.ts` runs one file on both.
// With OBOL_TEST_SECOND_TRY=true a few files that fail beside others are run once more, alone, and named.
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { ensureInstalled, nodeExitCode, root } from './lib.mjs';

const secondBackend = {
  'postgresql-15': ['/usr/lib/postgresql/15/bin/postgres'],
  pgbouncer: searchPath('pgbouncer'),
  'redis-server': searchPath('redis-server'),
};

/** More files than these, and it is no matter of chance. */
const secondTriesMax = 3;
/** What may never fail, not once: races, crashes, and whatever is drawn at random. */
const neverTwice = /race|concurren|crash|two-processes|model|any-order|fuzz|mutation|invariant/;

await ensureInstalled();
const missing = Object.keys(secondBackend).filter((name) => !secondBackend[name].some(isProgram));
if (missing.length > 0) {
  console.log(
    'The suites run on the embedded PostgreSQL only. The second run, on PostgreSQL 15 behind PgBouncer\n' +
      `and with Redis, is left out: ${missing.join(', ')} not found. To include it:\n` +
      `  apt-get install ${missing.join(' ')}\n`,
  );
}
const exitCode = await run('embedded PostgreSQL', 'embedded');
// What has failed is to be the last that is printed.
if (exitCode !== 0 || missing.length > 0) process.exit(exitCode);
process.exit(await run('PostgreSQL 15 behind PgBouncer, and Redis', 'debian', ['--passWithNoTests']));

async function run(title, backend, options = []) {
  console.log(`\n== ${title}`);
  const vitest = (args) =>
    nodeExitCode(['node_modules/vitest/vitest.mjs', 'run', ...args], { env: { OBOL_TEST_BACKEND: backend } });
  const args = [...options, ...process.argv.slice(2)];
  if (process.env.OBOL_TEST_SECOND_TRY !== 'true') return vitest(args);
  const folder = mkdtempSync(join(tmpdir(), 'obol-test-'));
  const report = join(folder, 'report.json');
  const exitCode = await vitest([...args, '--reporter=default', '--reporter=json', `--outputFile=${report}`]);
  const again = exitCode === 0 ? [] : failedFiles(report);
  rmSync(folder, { recursive: true });
  if (again.length === 0 || again.length > secondTriesMax || again.some((file) => neverTwice.test(file))) {
    return exitCode;
  }
  console.log(`\n== once more, alone: ${again.join(', ')}`);
  const secondCode = await vitest([...again, '--maxWorkers=1']);
  if (secondCode === 0) console.log(`\n== PASSED ONLY AT THE SECOND TRY, find out why: ${again.join(', ')}`);
  return secondCode;
}

/** The files with failures; none when the run broke off, or failed beside its tests. */
function failedFiles(report) {
  try {
    const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
    return testResults.filter(({ status }) => status === 'failed').map(({ name }) => relative(root, name));
  } catch {
    return [];
  }
}

function searchPath(name) {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin'].map((dir) =>
    join(dir, name),
  );
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
