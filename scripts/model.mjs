// `npm run test:model -- --seeds 20 --steps 10000`: random histories of the ledger, compared step by step
// with the model in memory. `--seed N` begins with that seed, `--history N` is the most steps of one history.
import { parseArgs } from 'node:util';
import { ensureInstalled, runNode } from './lib.mjs';

const help = `Random histories of the ledger, compared step by step with a model in memory.

  npm run test:model -- [--seeds 20] [--steps 10000] [--seed 1] [--history 500]

  --seeds N     how many histories of so many steps
  --steps N     steps of each
  --seed N      the first seed
  --history N   the most steps before the wallets begin anew
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '20' },
    steps: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    history: { type: 'string', default: '500' },
  },
});

if (values.help) {
  process.stdout.write(help);
  process.exit();
}
await ensureInstalled();
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--disable-console-intercept=true'];
await runNode([...vitest, 'server/test/model.test.ts'], {
  env: {
    MODEL_SEEDS: values.seeds,
    MODEL_STEPS: values.steps,
    MODEL_SEED: values.seed,
    MODEL_HISTORY: values.history,
  },
});
