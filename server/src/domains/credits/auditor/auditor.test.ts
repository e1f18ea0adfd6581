import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  spendInOneBatch,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';
import { auditLedger } from './audit-ledger.ts';
import { drawIds, drawInteger, firstIdOf } from './draw.ts';

const lines: Record<string, any>[] = [];
const log = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) });
const service = await startTestService({ log });
const { ctx } = service;
const owner = await connectAsOwner(service);

const enqueue = () => ctx.db.asService((tx) => ctx.jobs.enqueue(tx, 'audit-ledger', {}));

async function metric(name: string): Promise<number> {
  const { body } = await service.send('GET', '/metrics');
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(body)?.[1]);
}

/** Changes the journal past its triggers, and gives back what undoes it. */
async function alterDescription(holder: WalletHolder, sequence: number): Promise<() => Promise<void>> {
  const change = (from: string, to: string) => async () => {
    await owner.query('begin; alter table credits.transactions disable trigger user');
    const { rowCount } = await owner.query(
      `update credits.transactions set description = $4 where wallet_id = $1 and sequence = $2 and description = $3`,
      [holder.userId, sequence, from, to],
    );
    expect(rowCount).toBe(1);
    await owner.query('alter table credits.transactions enable trigger user; commit');
  };
  await change('A spend', 'B spend')();
  return change('B spend', 'A spend');
}

test('an audit proves wallets drawn by lot and says so in the metrics', async () => {
  for (let count = 0; count < 5; count++) {
    const holder = await addWalletHolder(service);
    await spendInOneBatch(service, [{ holder, amount: 3 }]);
  }
  await enqueue();
  expect(await ctx.jobs.runDue()).toBe(1);
  expect(await metric('obol_ledger_audit_wallets_total')).toBe(5);
  expect(await metric('obol_ledger_audit_transactions_total')).toBe(10);
  expect(await metric('obol_ledger_audit_findings_total')).toBe(0);
  expect(await metric('obol_ledger_audit_finished_timestamp_seconds')).toBe(
    service.clock.now().getTime() / 1000,
  );
});

test('what is off is logged, counted, and counted again until it is mended', async () => {
  const holder = await addWalletHolder(service);
  await spendInOneBatch(service, [{ holder, amount: 3 }]);
  const mend = await alterDescription(holder, 2);
  for (let audit = 1; audit <= 2; audit++) {
    await enqueue();
    await ctx.jobs.runDue();
    expect(await metric('obol_ledger_audit_findings_total')).toBe(audit);
  }
  const errors = lines.filter(({ level }) => level === 50);
  expect(errors).toHaveLength(2);
  expect(errors[0]).toMatchObject({ finding: { walletId: holder.userId }, msg: 'the ledger is not sound' });
  await mend();
  expect((await auditLedger(ctx)).findings).toEqual([]);
});

test('of a long history one part is proved, and by and by every part', async () => {
  const holder = await addWalletHolder(service);
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 100_000 });
  const spends = Array.from({ length: 1000 }, () => ({ holder, amount: 1 }));
  for (let batch = 0; batch < 5; batch++) await spendInOneBatch(service, spends);
  expect((await auditLedger(ctx)).transactions).toBeLessThan(4000);
  const mend = await alterDescription(holder, 700);
  let found = 0;
  for (let audit = 0; audit < 40; audit++) found += (await auditLedger(ctx)).findings.length;
  expect(found).toBeGreaterThan(0);
  expect(found).toBeLessThan(40);
  await mend();
});

test('lots are drawn within their bounds, and times become the first ids of their millisecond', () => {
  const first = '019ca945-0a00-7000-8000-000000000000';
  const last = '019ca945-0a00-7000-8000-000000000003';
  const drawn = new Set(drawIds(ctx, { first, last, count: 200 }));
  expect([...drawn].toSorted()).toEqual([0, 1, 2, 3].map((end) => `${first.slice(0, -1)}${end}`));
  expect(drawIds(ctx, { first, last: first, count: 2 })).toEqual([first, first]);
  const integers = new Set(Array.from({ length: 200 }, () => drawInteger(ctx, 3)));
  expect(integers).toEqual(new Set([0, 1, 2]));
  expect(firstIdOf(new Date('2026-03-01T12:00:00.000Z'))).toBe('019ca945-0a00-0000-0000-000000000000');
});
