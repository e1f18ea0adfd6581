import { alternate } from '../lib/measure.ts';
import { fillWallet } from '../lib/fill-wallet.ts';
import { requestText, sendLoad } from '../lib/load.ts';
import type { Environment } from '../lib/environment.ts';
import type { Scenario } from '../lib/scenario.ts';

const connections = 64;
/** Of the long journal of row 6, so that a short run stays short: a million rows by default. */
const partOfJournal = 10;

/** Spending while somebody downloads a statement of a million movements, over and over. */
export const spendBesideExport: Scenario = {
  row: 'export',
  title: 'POST /credits/use beside a statement export',
  group: 'ledger',
  async run(environment, { seconds, rounds, journal }) {
    const [exporter, ...spenders] = environment.tokens;
    const [person] = environment.people;
    if (!exporter || !person) throw new Error('nobody is signed in');
    const movements = Math.max(1, Math.round(journal / partOfJournal));
    await fillWallet(environment.ownerUrl, person.userId, movements);
    const requests = spenders.map((token) =>
      requestText('POST', '/api/v1/credits/use', {
        token,
        body: { amount: 1, appId: 'bench', description: 'benchmark' },
      }),
    );
    const spend = () => sendLoad({ port: environment.port, connections, seconds, requests });
    const measurements = [];
    for (const [label, quantile] of [
      ['p50', 'p50Ms'],
      ['p99', 'p99Ms'],
    ] as const) {
      const ratio = await alternate(
        rounds,
        () => besideExport(environment, exporter, async () => (await spend())[quantile]),
        async () => (await spend())[quantile],
      );
      const rows = movements.toLocaleString('en');
      measurements.push({
        ...ratio,
        label: `${label}, beside an export of ${rows} rows`,
        against: 'without it',
        unit: 'ms',
        goal: { atMost: 2 },
      });
    }
    return measurements;
  },
};

/** Runs the work while one export after the other is read as fast as it comes. */
async function besideExport<T>({ port }: Environment, token: string, work: () => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const url = `http://127.0.0.1:${port}/api/v1/credits/statement?from=2000-01-01&format=csv`;
  const exporting = (async () => {
    while (!ended.signal.aborted) {
      const answer = await fetch(url, {
        headers: { authorization: `Bearer ${token}` },
        signal: ended.signal,
      });
      if (answer.status !== 200 || !answer.body) throw new Error(`the export answered ${answer.status}`);
      for await (const chunk of answer.body) if (chunk.length === 0) break;
    }
  })().catch((error: unknown) => {
    if (!ended.signal.aborted) throw error;
  });
  try {
    return await Promise.race([work(), exporting.then(() => Promise.reject(new Error('the export ended')))]);
  } finally {
    ended.abort();
    await exporting;
  }
}
