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
// What a browser shows does not depend on whose PostgreSQL it is, nor how the embedded one starts and stops.
const left = ['server/test/browser/**', 'server/test/crash/start-and-stop.test.ts'];
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
