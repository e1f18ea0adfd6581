import { createDatabase, openLedger } from '../lib/ledger.ts';
import { fillJournal } from '../lib/fill-journal.ts';
import { alternate } from '../lib/measure.ts';
import type { Scenario } from '../lib/scenario.ts';
import { seedLedger } from '../lib/seed.ts';

const inFlight = 256;

/** Row 6: spending is as fast behind a long journal as behind an empty one; a database for each. */
export const spendWithHistory: Scenario = {
  row: '6',
  title: 'spends through the SQL layer',
  group: 'ledger',
  async run({ ownerUrl, superuserUrl, dataDir }, { seconds, rounds, wallets, journal }) {
    const urls = {
      long: await createDatabase(superuserUrl, ownerUrl, 'obol_long'),
      empty: await createDatabase(superuserUrl, ownerUrl, 'obol_empty'),
    };
    const [long, empty] = [await openLedger(urls.long, dataDir), await openLedger(urls.empty, dataDir)];
    try {
      const longPeople = await seedLedger(urls.long, wallets);
      const emptyPeople = await seedLedger(urls.empty, wallets);
      const transactions = await fillJournal(urls.long, journal);
      const ratio = await alternate(
        rounds,
        () => long.spendRate({ people: longPeople, inFlight, seconds }),
        () => empty.spendRate({ people: emptyPeople, inFlight, seconds }),
      );
      const label = `${transactions.toLocaleString('en')} transactions in the journal`;
      return [{ ...ratio, label, against: 'an empty journal', unit: '/s', goal: { atLeast: 0.9 } }];
    } finally {
      await long.stop();
      await empty.stop();
    }
  },
};
