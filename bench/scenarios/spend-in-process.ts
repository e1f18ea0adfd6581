import { alternate } from '../lib/measure.ts';
import { findBestClients, hotScript, pgbenchRate, spreadScript } from '../lib/limits.ts';
import { openLedger } from '../lib/ledger.ts';
import type { Scenario } from '../lib/scenario.ts';

const inFlight = 256;

/** Rows 1 and 2: spends through the queue and the SQL layer, without HTTP, against pgbench. */
export const spendInProcess: Scenario = {
  row: '1, 2',
  title: 'spends through the SQL layer',
  group: 'ledger',
  async run({ ownerUrl, dataDir, people }, { seconds, rounds }) {
    const best = await findBestClients(ownerUrl, Math.min(seconds, 3));
    const variants = [
      { label: 'different wallets', people, script: spreadScript, clients: best, goal: 3.5 },
      { label: 'one hot wallet', people: people.slice(0, 1), script: hotScript, clients: 32, goal: 15 },
    ];
    const ledger = await openLedger(ownerUrl, dataDir);
    const measurements = [];
    try {
      for (const { label, people: spenders, script, clients, goal } of variants) {
        const ratio = await alternate(
          rounds,
          () => ledger.spendRate({ people: spenders, inFlight, seconds }),
          () => pgbenchRate(ownerUrl, script, clients, seconds),
        );
        measurements.push({
          ...ratio,
          label: `${label}, ${inFlight} in flight`,
          against: `pgbench, ${clients} clients`,
          unit: '/s',
          goal: { atLeast: goal },
        });
      }
    } finally {
      await ledger.stop();
    }
    return measurements;
  },
};
