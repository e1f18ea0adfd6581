import { expect, test } from 'vitest';
import { loadConfig } from '../../server/src/config.ts';
import { prepareDatabase } from '../../server/src/db/connect.ts';
import { cloneDatabase } from '../../server/test/harness/index.ts';
import { serviceSettings } from '../lib/environment.ts';
import { openPlanClient } from './client.ts';
import { readPlans } from './explain.ts';
import { fillLedger, fillPayments, fillPeople } from './fill-ledger.ts';
import { operations } from './operations.ts';
import { renderPlans, rounded, scansOfLargeTables } from './render.ts';
import { timeVerification } from './time-verification.ts';

test('a small ledger is filled soundly, and everything can be asked of it', async () => {
  const { ownerUrl } = await cloneDatabase();
  await prepareDatabase(loadConfig(serviceSettings), ownerUrl);
  await fillLedger({ ownerUrl, wallets: 110, transactions: 1600, hot: 300, onProgress: () => {} });
  expect(await timeVerification(ownerUrl)).toMatch(/^verified 1620 transactions/);
  await fillPeople(ownerUrl, 300);
  await fillPayments(ownerUrl, { wallets: 110, purchases: 500 });
  const client = await openPlanClient(ownerUrl);
  for (const { run } of operations) await run(client);
  await client.stop();
}, 60_000);

const log = `2026-03-01 12:00:00.000 UTC [7] LOG:  duration: 0.036 ms  plan:
\t{
\t  "Query Text": "select *\\n  from credits.lots l -- all of them",
\t  "Plan": {
\t    "Node Type": "Nested Loop", "Shared Hit Blocks": 30, "Shared Read Blocks": 4,
\t    "Plans": [
\t      { "Node Type": "Seq Scan", "Relation Name": "lots", "Shared Hit Blocks": 3, "Shared Read Blocks": 4 },
\t      { "Node Type": "Index Scan", "Relation Name": "holds", "Index Name": "holds_pkey" }
\t    ]
\t  }
\t}
2026-03-01 12:00:00.000 UTC [7] CONTEXT:  SQL function "wallet_with_lots" statement 1
2026-03-01 12:00:00.000 UTC [7] LOG:  duration: 0.001 ms  plan:
\t{ "Query Text": "select 1", "Plan": { "Node Type": "Result", "Shared Hit Blocks": 0, "Shared Read Blocks": 0 } }
`;

test('plans are read from the log, and shown without what differs from run to run', () => {
  const statements = readPlans(log);
  expect(statements.map(({ text }) => text)).toEqual([
    'select *\n  from credits.lots l -- all of them',
    'select 1',
  ]);
  const page = renderPlans([{ title: 'Lots', statements }], []);
  expect(page).toContain(
    '## Lots\n\n`select * from credits.lots l`: at most 50 blocks\n\n```text\nSeq Scan lots\nIndex Scan holds by holds_pkey\n```',
  );
  expect(page).not.toContain('select 1');
});

test('reading a large table from end to end is found, a small one may be', () => {
  const plans = [{ title: 'Lots', statements: readPlans(log) }];
  expect(scansOfLargeTables(plans, new Set(['lots']))).toEqual([
    'Lots: reads all of lots in select * from credits.lots l',
  ]);
  expect(scansOfLargeTables(plans, new Set(['holds']))).toEqual([]);
});

test.each([
  [0, '1'],
  [2, '2'],
  [3, '5'],
  [51, '100'],
  [9_700_000, '10,000,000'],
])('%d is at most %s', (count, bound) => {
  expect(rounded(count)).toBe(bound);
});
