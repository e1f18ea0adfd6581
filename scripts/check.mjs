// `npm run check`: everything that can be said about the sources without running the suites.
// Each step runs even when one before it has failed; what a step prints is shown when it fails.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, nodeOutput, root } from './lib.mjs';

const steps = [
  { name: 'the lock file is complete and without addresses', run: checkLockFile },
  { name: 'types', run: program('typescript/bin/tsc', '-p', '.') },
  { name: 'types of the pages', run: program('typescript/bin/tsc', '-p', 'web') },
  {
    name: 'types of the browser tests',
    run: program('typescript/bin/tsc', '-p', 'server/test/browser'),
  },
  { name: 'lint', run: program('oxlint/bin/oxlint') },
  { name: 'format', run: program('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.') },
  { name: 'structure', run: () => nodeOutput(['server/test/tidy/main.ts']) },
  {
    name: 'generated files are up to date',
    run: () => nodeOutput(['server/src/reference/main.ts', '--check']),
  },
];

await ensureInstalled();
let failures = 0;
for (const { name, run } of steps) {
  const startedAt = Date.now();
  const { exitCode, output } = await run();
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(`${exitCode === 0 ? 'ok  ' : 'FAIL'}  ${name} (${seconds} s)`);
  if (exitCode === 0) continue;
  failures += 1;
  console.log(output.trimEnd());
}
console.log(failures === 0 ? 'All checks pass.' : `${failures} of ${steps.length} checks fail.`);
process.exit(failures === 0 ? 0 : 1);

function program(path, ...args) {
  return () => nodeOutput([`node_modules/${path}`, ...args]);
}

/**
 * npm leaves packages of other machines out of the lock file when the registry lacks them, and then refuses
 * to install from it; and addresses would tie everybody to one registry.
 */
function checkLockFile() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const findings = [];
  for (const [path, { resolved, optionalDependencies = {} }] of Object.entries(packages)) {
    if (/^https?:/.test(resolved ?? '')) findings.push(`${path} holds the address ${resolved}`);
    for (const name of Object.keys(optionalDependencies)) {
      if (!packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`]) {
        findings.push(`${path} wants ${name}, which the lock file lacks`);
      }
    }
  }
  return { exitCode: findings.length === 0 ? 0 : 1, output: findings.join('\n') };
}
