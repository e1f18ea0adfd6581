import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { holdCalls } from '../../../../test/harness/holds.ts';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { addAdministrator, expectSound } from '../../../../test/harness/movements.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const lastOfDay = '2026-03-10T23:59:59.999Z';
const service = await startTestService({ startAt: lastOfDay });
const second = await startTestService({ shareDatabaseWith: service });
const owner = await connectAsOwner(service);
const app = await registerApplication(service, (await addAdministrator(service)).token);
let holder: WalletHolder;
const { placed, capture, release, read, balance } = holdCalls(service, () => holder);
const mandated = mandateCalls(service, app, () => holder);

beforeEach(async () => {
  service.clock.set(lastOfDay);
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const party = (index: number) => ({ at: index % 2 ? second : service });
const hundred = (call: (index: number) => Promise<Answer>) =>
  Promise.all(Array.from({ length: 100 }, (_, index) => call(index)));
const isDone = ({ status }: Answer) => status < 300;

describe('100 parallel captures and voids of one hold, on two services, while it expires', () => {
  test.each([0, 3, 40, 99])('the clock reaches its end at request %i', async (turn) => {
    const hold = await placed({ amount: 100, expiresInSeconds: 1 });
    const answers = await hundred((index) => {
      if (index === turn) service.clock.advance({ seconds: 1 });
      return index % 3 === 0 ? release(hold.id, {}, party(index)) : capture(hold.id, 60, {}, party(index));
    });
    const won = answers.filter(isDone);
    const { status, captured, remaining } = await read(`holds/${hold.id}`);
    expect(won.length).toBe(status === 'expired' ? 0 : 1);
    if (won[0]) expect(won[0].body.status).toBe(status);
    for (const { body } of answers.filter((answer) => !isDone(answer))) {
      expect(body).toMatchObject({ code: 'hold.closed', holdStatus: status });
    }
    expect([captured, remaining]).toEqual([status === 'captured' ? 60 : 0, 0]);
    const spent = captured;
    expect(await balance()).toMatchObject({ held: 0, totalSpent: spent, available: 150 - spent });
  });

  test('captures of parts never take more than was held, and the rest comes back once', async () => {
    const hold = await placed({ amount: 100, expiresInSeconds: 1 });
    const answers = await hundred((index) => {
      if (index === 60) service.clock.advance({ seconds: 1 });
      return capture(hold.id, 3, { final: false }, party(index));
    });
    const spent = 3 * answers.filter(isDone).length;
    expect(spent).toBeLessThanOrEqual(99);
    const codes = new Set(answers.filter((answer) => !isDone(answer)).map(({ body }) => body.code));
    expect([...codes].filter((code) => code !== 'hold.closed' && code !== 'hold.exceeded')).toEqual([]);
    expect(await balance()).toMatchObject({ held: 0, totalSpent: spent, available: 150 - spent });
    expect(await read(`holds/${hold.id}`)).toMatchObject({ status: 'expired', captured: spent });
  });
});

describe('100 parallel holds, spends, captures and voids under a mandate at the turn of its period', () => {
  test.each(['day', 'month'] as const)('no %s is charged more than its allowance', async (period) => {
    const turn = period === 'day' ? lastOfDay : '2026-03-31T23:59:59.999Z';
    service.clock.set(turn);
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 10_000 });
    const mandate = await mandated.given({ allowance: 60, period, overrun: 'spill' });
    const first = (await mandated.hold({ amount: 10 })).body;
    const answers = await hundred((index) => {
      if (index === 50) service.clock.advance({ ms: 1 });
      if (index % 4 === 0) return mandated.hold({ amount: 4 }, party(index));
      if (index % 4 === 1) {
        const body = { amount: 3, final: false };
        return mandated.asApp(`/holds/${first.id}/capture`, body, party(index));
      }
      return mandated.use({ amount: 3 }, party(index));
    });
    for (const { body } of answers.filter((answer) => !isDone(answer))) {
      expect(body.code).toBe('mandate.exceeded');
    }
    const { rows } = await owner.query(
      `select sum(held + spent)::integer as charged from credits.mandate_usage
        where mandate_id = $1 group by date_trunc($2, charged_at at time zone 'UTC') order by 1`,
      [mandate.id, period],
    );
    expect(rows).toHaveLength(2);
    for (const { charged } of rows) expect(charged).toBeLessThanOrEqual(60);
    const { held, totalSpent } = await balance();
    expect(rows[0].charged + rows[1].charged).toBe(held + totalSpent);
    expect(Math.max(rows[0].charged, rows[1].charged)).toBeGreaterThan(56);
  });
});
