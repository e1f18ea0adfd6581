// `npm run test:model -- --seeds 20 --steps 10000`: random histories of the ledger, compared step by step
// with the model in memory. `--seed N` begins with that seed, `--history N` is the most steps of one history.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { ensureInstalled, ensurePagesBuilt, nodeExitCode } from './lib.mjs';

const help = `Random histories of the ledger, compared step by step with a model in memory.

  npm run test:model -- [--seeds 20] [--steps 10000] [--seed 1] [--history 500] [--at-once CORES]

  --seeds N     how many histories of so many steps
  --steps N     steps of each
  --seed N      the first seed
  --history N   the most steps before the wallets begin anew
  --at-once N   seeds that are played at the same time; as many as there are cores unless said otherwise

Every seed has a database of its own: the whole ledger is proved again and again, which takes the longer the
more has been played in it.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '20' },
    steps: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    history: { type: 'string', default: '500' },
    'at-once': { type: 'string', default: String(availableParallelism()) },
  },
});

if (values.help) {
  process.stdout.write(help);
  process.exit();
}
await ensureInstalled();
await ensurePagesBuilt();
const first = Number(values.seed);
const waiting = Array.from({ length: Number(values.seeds) }, (_, index) => first + index);
const failed = [];
await Promise.all(Array.from({ length: Number(values['at-once']) }, playWaiting));
const passed = Number(values.seeds) - failed.length;
console.log(
  `${passed} of ${values.seeds} seeds passed${failed.length > 0 ? `; failed: ${failed.join(', ')}` : ''}`,
);
process.exit(failed.length > 0 || passed === 0 ? 1 : 0);

/** Plays one seed after the other, for as long as there are any. */
async function playWaiting() {
  for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
    const vitest = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=dot',
      '--disable-console-intercept=true',
    ];
    const exitCode = await nodeExitCode([...vitest, 'server/test/model.test.ts'], {
      env: {
        MODEL_STEPS: values.steps,
        MODEL_SEED: String(seed),
        MODEL_HISTORY: values.history,
      },
    });
    if (exitCode !== 0) failed.push(seed);
  }
}
