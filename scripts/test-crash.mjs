// `npm run test:crash -- --service-kills 100 --postgres-kills 30 --seed 7`: kills the service and its
// PostgreSQL under load, and proves afterwards that nothing acknowledged was lost or done twice; then has
// it die behind each step of a payment. The seed decides what is done and when it is killed;
// without one, one is drawn and shown.
import { parseArgs } from 'node:util';
import { ensureInstalled, runNode } from './lib.mjs';

const { values } = parseArgs({
  options: {
    'service-kills': { type: 'string', default: '100' },
    'postgres-kills': { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
  },
});
console.log(`Seed ${values.seed}; this takes about three seconds per kill.`);
await ensureInstalled();
const tests = ['campaign', 'payments'].map((name) => `server/test/crash/${name}.test.ts`);
await runNode(['node_modules/vitest/vitest.mjs', 'run', ...tests, '--maxWorkers=1'], {
  env: {
    OBOL_TEST_BACKEND: 'embedded',
    CRASH_SERVICE_KILLS: values['service-kills'],
    CRASH_POSTGRES_KILLS: values['postgres-kills'],
    CRASH_SEED: values.seed,
    CRASH_PAYMENTS: 'all',
  },
});
