import fc from 'fast-check';
import { expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { HoldModel } from '../../../../test/harness/hold-model.ts';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { addAdministrator, readOwn } from '../../../../test/harness/movements.ts';
import { addLot, addWalletHolder, type WalletHolder } from '../../../../test/harness/wallets.ts';
import { verifyLedger } from '../index.ts';

/** MODEL_RUNS and MODEL_SEED look further than the run of every day. */
const numRuns = Number(process.env.MODEL_RUNS ?? 80);
const seed = process.env.MODEL_SEED === undefined ? {} : { seed: Number(process.env.MODEL_SEED) };
const limit = process.env.MODEL_RUNS === undefined ? { interruptAfterTimeLimit: 15_000 } : {};

const start = '2026-03-10T12:00:00.000Z';
const rules = { signupBonus: 60, dailyFree: 5, dailyCap: 12 };
const service = await startTestService({
  startAt: start,
  env: { CREDITS_SIGNUP_BONUS: '60', CREDITS_DAILY_FREE: '5', CREDITS_DAILY_CAP: '12' },
});
const app = await registerApplication(service, (await addAdministrator(service)).token);
let holder: WalletHolder;
const calls = mandateCalls(service, app, () => holder);
const hourMs = 3_600_000;

const amount = fc.integer({ min: 1, max: 40 });
const lifeHours = fc.integer({ min: 1, max: 60 });
const byApp = fc.boolean();
const place = fc.nat(20);
const terms = fc
  .record({
    allowance: fc.integer({ min: 1, max: 120 }),
    period: fc.constantFrom('day' as const, 'week' as const, 'month' as const, 'total' as const),
    kinds: fc.constantFrom<string[]>(['free'], ['paid'], ['free', 'paid']),
    maxPerSpend: fc.option(fc.integer({ min: 5, max: 60 }), { nil: null, freq: 2 }),
    overrun: fc.constantFrom('refuse' as const, 'spill' as const, 'debt' as const),
    overrunMax: fc.constantFrom(0, 10, 50),
  })
  // Credits of any kind would repay a debt.
  .filter(({ kinds, overrun }) => overrun !== 'debt' || kinds.length === 2);
const step = <Type extends string, Fields extends object>(
  weight: number,
  type: Type,
  fields: fc.Arbitrary<Fields>,
) => ({ weight, arbitrary: fields.map((given) => ({ type, ...given })) });

const steps = fc.oneof(
  step(3, 'spend', fc.record({ amount, byApp })),
  step(5, 'place', fc.record({ amount, byApp, lifeHours })),
  step(2, 'extend', fc.record({ place, more: fc.integer({ min: 0, max: 20 }), lifeHours })),
  step(5, 'capture', fc.record({ place, amount, isFinal: fc.boolean(), spills: fc.boolean() })),
  step(2, 'release', fc.record({ place })),
  step(2, 'refund', fc.record({ place, amount })),
  step(
    3,
    'gift',
    fc.record({
      amount,
      kind: fc.constantFrom('free' as const, 'paid' as const),
      priority: fc.constantFrom(50, 100),
      lifeHours: fc.option(lifeHours, { nil: null }),
    }),
  ),
  step(2, 'give', fc.record({ terms })),
  step(
    2,
    'change',
    fc.record({ terms, status: fc.constantFrom('active' as const, 'active' as const, 'paused' as const) }),
  ),
  step(1, 'revoke', fc.record({})),
  step(
    4,
    'pass',
    fc.record({
      ms: fc.oneof(
        fc.constantFrom(1, hourMs, 12 * hourMs - 1, 24 * hourMs),
        fc.integer({ min: 1, max: 90 * hourMs }),
      ),
    }),
  ),
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** The ledger's ids of what the model knows by its place. */
type Scene = { model: HoldModel; holdIds: string[]; spendIds: string[]; mandateId: string };

const own = (path: string, body: unknown) => calls.own('POST', path, body);
const codeOf = (answer: Answer): string | null => (answer.status < 300 ? null : answer.body.code);

async function spendOrPlace(
  scene: Scene,
  given: Step & { type: 'spend' | 'place' },
  now: number,
): Promise<void> {
  const { model, holdIds, spendIds } = scene;
  const life = given.type === 'place' ? { expiresInSeconds: given.lifeHours * 3600 } : {};
  const body = { amount: given.amount, ...life };
  const path = given.type === 'place' ? '/holds' : '/use';
  const expected =
    given.type === 'place'
      ? model.place(given.amount, given.lifeHours * hourMs, given.byApp, now)
      : model.spend(given.amount, given.byApp, now);
  const answer = given.byApp
    ? await calls.asApp(path, calls.spendBody(body))
    : await own(path, { ...body, appId: 'chat', description: 'x' });
  expect(codeOf(answer)).toBe(expected);
  if (expected !== null) return;
  if (given.type === 'place') holdIds.push(answer.body.id);
  else spendIds.push(answer.body.transaction.id);
}

async function moveHold(
  scene: Scene,
  given: Step & { type: 'extend' | 'capture' | 'release' },
  now: number,
): Promise<void> {
  const { model, holdIds, spendIds } = scene;
  const nth = given.place % holdIds.length;
  const [hold, path] = [model.holds[nth], `/holds/${holdIds[nth]}`];
  if (!hold) return;
  switch (given.type) {
    case 'extend': {
      const more = given.more === 0 ? {} : { amount: given.more };
      const expected = model.extend(hold, given.more, given.lifeHours * hourMs, now);
      const body = { ...more, expiresInSeconds: given.lifeHours * 3600 };
      return expect(codeOf(await own(`${path}/extend`, body))).toBe(expected);
    }
    case 'capture': {
      const expected = model.capture(hold, given.amount, given, now);
      const overrun = given.spills ? { overrun: 'spill' } : {};
      const body = { amount: given.amount, final: given.isFinal, ...overrun };
      const answer = await own(`${path}/capture`, body);
      expect(codeOf(answer)).toBe(expected);
      if (expected === null) spendIds.push(answer.body.transaction.id);
      return;
    }
    case 'release':
      return expect(codeOf(await own(`${path}/void`, {}))).toBe(model.release(hold, now));
  }
}

async function refund(scene: Scene, given: Step & { type: 'refund' }, now: number): Promise<void> {
  const nth = given.place % scene.spendIds.length;
  const [spend, id] = [scene.model.spends[nth], scene.spendIds[nth]];
  if (!spend || !id) return;
  const known = await readOwn(service, holder, 'transactions?limit=200');
  const { appId } = known.find((transaction: any) => transaction.id === id);
  if (appId !== app.clientId) return;
  const expected = scene.model.refund(spend, given.amount, now);
  expect(codeOf(await calls.refund(id, given.amount))).toBe(expected);
}

async function changeMandate(
  scene: Scene,
  given: Step & { type: 'give' | 'change' | 'revoke' },
  now: number,
) {
  const { model } = scene;
  const isThere = model.mandate !== undefined && model.mandate.status !== 'revoked';
  if (given.type === 'give') {
    const answer = await calls.give(given.terms);
    expect(codeOf(answer)).toBe(isThere ? 'mandate.exists' : null);
    if (isThere) return;
    model.mandate = { ...given.terms, status: 'active', createdAt: now, charges: [] };
    scene.mandateId = answer.body.id;
  } else if (model.mandate && isThere) {
    const isEnd = given.type === 'revoke';
    const answer = isEnd
      ? await calls.revoke(scene.mandateId)
      : await calls.change(scene.mandateId, { ...given.terms, status: given.status });
    expect(codeOf(answer)).toBeNull();
    Object.assign(model.mandate, isEnd ? { status: 'revoked' } : { ...given.terms, status: given.status });
  }
}

async function run(scene: Scene, given: Step): Promise<void> {
  const now = service.clock.now().getTime();
  switch (given.type) {
    case 'spend':
    case 'place':
      return spendOrPlace(scene, given, now);
    case 'extend':
    case 'capture':
    case 'release':
      return moveHold(scene, given, now);
    case 'refund':
      return refund(scene, given, now);
    case 'gift': {
      const { amount, kind, priority, lifeHours: hours } = given;
      const expiresAt = hours === null ? Infinity : now + hours * hourMs;
      scene.model.gift({ amount, kind, priority, expiresAt }, now);
      const until = hours === null ? null : new Date(expiresAt).toISOString();
      return addLot(service, holder, { source: 'gift', amount, kind, priority, expiresAt: until });
    }
    case 'give':
    case 'change':
    case 'revoke':
      return changeMandate(scene, given, now);
    case 'pass':
      service.clock.advance({ ms: given.ms });
  }
}

async function compare({ model, holdIds, mandateId }: Scene): Promise<void> {
  const now = service.clock.now().getTime();
  const lots = model.open(now);
  const held = lots.reduce((sum, lot) => sum + lot.held, 0);
  const remaining = lots.reduce((sum, lot) => sum + lot.remaining, 0);
  expect(await calls.balance()).toMatchObject({
    held,
    available: remaining - held,
    debt: model.debt,
    totalSpent: model.totalSpent,
    lots: lots.map((lot) => ({
      kind: lot.kind,
      remaining: lot.remaining,
      expiresAt: lot.expiresAt === Infinity ? null : new Date(lot.expiresAt).toISOString(),
    })),
  });
  if (mandateId !== '') {
    const { used, status } = await calls.read(mandateId);
    expect({ used, status }).toEqual({ used: model.used(now), status: model.mandate?.status });
  }
  const list = await readOwn(service, holder, 'holds?limit=200');
  const seen = new Map(list.map((hold: any) => [hold.id, hold]));
  expect(holdIds.map((id) => seen.get(id))).toMatchObject(
    model.holds.map(({ amount, captured, status, parts, expiresAt }) => ({
      amount,
      captured,
      status,
      remaining: parts.reduce((sum, part) => sum + part.amount, 0),
      expiresAt: new Date(expiresAt).toISOString(),
    })),
  );
}

test('any sequence of holds, captures, mandates, refunds and leaps in time comes to what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 40 }), async (sequence) => {
      service.clock.set(start);
      holder = await addWalletHolder(service);
      const model = new HoldModel(rules, service.clock.now().getTime());
      const scene: Scene = { model, holdIds: [], spendIds: [], mandateId: '' };
      for (const given of sequence) {
        // Two lots never share an instant: which of them is older would be anybody's guess.
        service.clock.advance({ ms: 1 });
        await run(scene, given);
        await compare(scene);
      }
      expect((await verifyLedger(service.ctx.db, { walletId: holder.userId })).findings).toEqual([]);
    }),
    { numRuns, ...seed, ...limit, markInterruptAsFailure: false },
  );
}, 600_000);
