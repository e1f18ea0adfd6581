// `npm run test:import -- --people 100000`: imports that many people with password hashes of every kind,
// kills the import half-way, resumes it, and proves that nobody was lost or made twice.
import { parseArgs } from 'node:util';
import { ensureInstalled, runNode } from './lib.mjs';

const { values } = parseArgs({ options: { people: { type: 'string', default: '100000' } } });
await ensureInstalled();
await runNode(['node_modules/vitest/vitest.mjs', 'run', 'server/test/import/import.test.ts'], {
  env: { OBOL_TEST_BACKEND: 'embedded', IMPORT_PEOPLE: values.people },
});
