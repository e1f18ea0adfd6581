// `npm test`: every suite on the embedded PostgreSQL and, when that is green, on Debian's PostgreSQL 15
// behind PgBouncer, with Redis. `npm test -- server/test/http.test.ts` runs one file on both.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ensureInstalled, nodeExitCode } from './lib.mjs';

const secondBackend = {
  'postgresql-15': ['/usr/lib/postgresql/15/bin/postgres'],
  pgbouncer: searchPath('pgbouncer'),
  'redis-server': searchPath('redis-server'),
};

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
// What does not depend on whose PostgreSQL it is: what a browser shows, how the embedded one starts and
// stops, how programs are called, what is checked of the sources, and how providers of payments are asked.
const left = [
  'server/test/browser/**',
  'server/test/crash/start-and-stop.test.ts',
  'server/test/crash/payments.test.ts',
  'server/test/cli.test.ts',
  'server/test/audit-command.test.ts',
  'server/test/import/**',
  'server/test/conformance/mutations.test.ts',
  'server/test/tidy.test.ts',
  'server/test/mutants/**',
  'server/src/{lib,mail}/**',
  'server/src/domains/payments/{stripe,paypal}/**',
  'stand-in/**',
];
const title = 'PostgreSQL 15 behind PgBouncer, and Redis';
const excluded = left.map((pattern) => `--exclude=${pattern}`);
process.exit(await run(title, 'debian', excluded));

function run(title, backend, options = []) {
  console.log(`\n== ${title}`);
  return nodeExitCode(['node_modules/vitest/vitest.mjs', 'run', ...options, ...process.argv.slice(2)], {
    env: { OBOL_TEST_BACKEND: backend },
  });
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
