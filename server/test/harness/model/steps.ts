import fc from 'fast-check';
import { transactionTypes } from '../../../src/domains/credits/tables.ts';

/** Absent half of the time; then few enough that some come twice, for the same request or for another. */
const key = fc.option(
  fc.nat(300).map((number) => `k${number}`),
  { nil: undefined },
);
const model = fc.constantFrom(undefined, 'small', 'large');
const kind = fc.constantFrom('free' as const, 'paid' as const);
const person = fc.constantFrom('alice' as const, 'bob' as const);
const walletName = fc.constantFrom('alice' as const, 'alice' as const, 'bob' as const, 'team' as const);
/** Which of what there is, counted from the newest and round again. */
const place = fc.oneof(fc.nat(3), fc.nat(60));
const smallAmount = fc.integer({ min: 1, max: 40 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const perhapsNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const is = <T extends string>(type: T) => fc.constant(type);

/** Who spends from what: themselves, by the app on their behalf, or from the team's wallet. */
const spender = fc.record({
  person,
  way: fc.constantFrom('own' as const, 'own' as const, 'app' as const, 'app' as const, 'team' as const),
});
const purpose = {
  spender,
  app: fc.constantFrom('chat' as const, 'maps' as const, 'own' as const),
  amount: smallAmount,
  model,
  key,
};
/** Whole seconds: minutes, hours, days, a week at most. */
const lasts = fc.constantFrom(1, 60, 900, 7200, 86_400, 86_400, 604_800);
const mover = fc.constantFrom('placer' as const, 'placer' as const, 'alice' as const, 'app' as const);

const spending = [
  { weight: 8, arbitrary: fc.record({ type: is('spend'), ...purpose }) },
  { weight: 7, arbitrary: fc.record({ type: is('hold'), ...purpose, lasts }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: is('extend'), place, mover, amount: maybe(smallAmount), lasts, key }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: is('capture'),
      place,
      mover,
      amount: fc.oneof(fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 70 })),
      isFinal: fc.boolean(),
      overrun: fc.constantFrom(undefined, 'refuse' as const, 'spill' as const),
      key,
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: is('void'), place, mover, key }) },
] as const;

const lifeHours = perhapsNull(fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(24, 48, 168)));

const moving = [
  {
    weight: 7,
    arbitrary: fc.record({
      type: is('grant'),
      to: walletName,
      kind,
      source: fc.constantFrom('gift', 'gift', 'purchase', 'subscription', 'adjustment'),
      amount: fc.integer({ min: 1, max: 60 }),
      priority: fc.constantFrom(50, 100),
      lifeHours,
      key,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: is('take'), from: walletName, amount: smallAmount, key }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: is('refund'),
      place,
      amount: maybe(smallAmount),
      by: fc.constantFrom('admin' as const, 'app' as const),
      key,
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: is('clawBack'), place, amount: maybe(smallAmount), key }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: is('newCode'),
      amount: smallAmount,
      kind,
      priority: fc.constantFrom(50, 100),
      redemptionsMax: fc.integer({ min: 1, max: 4 }),
      redemptionsPerUserMax: fc.integer({ min: 1, max: 2 }),
      lotLifetimeDays: maybe(fc.integer({ min: 1, max: 5 })),
      lifeHours,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: is('revokeCode'), place }) },
  { weight: 3, arbitrary: fc.record({ type: is('redeem'), person, place, key }) },
  { weight: 3, arbitrary: fc.record({ type: is('transfer'), person, amount: smallAmount, key }) },
] as const;

const period = fc.constantFrom('day' as const, 'week' as const, 'month' as const, 'total' as const);
const both: ('free' | 'paid')[] = ['free', 'paid'];
const kinds = fc.constantFrom<('free' | 'paid')[]>(both, both, both, ['free'], ['paid']);
const allowance = fc.integer({ min: 1, max: 120 });
const maxPerSpend = perhapsNull(fc.integer({ min: 5, max: 40 }));
const terms = {
  allowance,
  period,
  kinds,
  maxPerSpend,
  overrun: fc.constantFrom('refuse' as const, 'spill' as const, 'debt' as const, 'debt' as const),
  overrunMax: fc.integer({ min: 0, max: 50 }),
  lifeHours: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: lifeHours }),
};

const consenting = [
  { weight: 3, arbitrary: fc.record({ type: is('mandate'), person, terms: fc.record(terms) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: is('changeMandate'),
      person,
      place,
      changes: fc.record(
        { ...terms, status: fc.constantFrom('active' as const, 'active' as const, 'paused' as const) },
        { requiredKeys: ['status'] },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: is('revokeMandate'), person, place }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: is('limitMember'),
      person: fc.constantFrom('bob' as const, 'bob' as const, 'alice' as const),
      limit: perhapsNull(fc.record({ allowance, period, kinds, maxPerSpend })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: is('freeze'),
      wallet: walletName,
      status: fc.constantFrom('active' as const, 'active' as const, 'frozen' as const),
    }),
  },
] as const;

/** Where the clock jumps to, and how much past it or short of it. */
const passing = [
  {
    weight: 9,
    arbitrary: fc.record({
      type: is('pass'),
      to: fc.oneof(
        fc.constantFrom('event' as const, 'event' as const, 'midnight' as const, 'week' as const),
        fc.constantFrom('month' as const, 'leapDay' as const, 'summerTime' as const),
        fc.integer({ min: 1, max: 50 * 3_600_000 }),
      ),
      offsetMs: fc.constantFrom(-1, 0, 0, 1),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: is('replay'), place }) },
] as const;

/** An instant of the history: a share of it, rounded to a transaction, and a little to the side. */
const moment = fc.record({
  share: fc.integer({ min: 0, max: 1000 }),
  offsetMs: fc.constantFrom(-1, 0, 0, 1),
});
const appFilter = maybe(fc.constantFrom('chat' as const, 'maps' as const, 'own' as const));

const asking = [
  {
    weight: 3,
    arbitrary: fc.record({
      type: is('listTransactions'),
      wallet: walletName,
      app: appFilter,
      only: maybe(fc.constantFrom(...transactionTypes)),
      from: maybe(moment),
      to: maybe(moment),
      limit: fc.integer({ min: 1, max: 30 }),
      offset: fc.constantFrom(0, 0, 3),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: is('statement'), wallet: walletName, from: moment, to: maybe(moment) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: is('usage'),
      wallet: walletName,
      groupBy: fc.constantFrom('app' as const, 'day' as const, 'model' as const),
      app: appFilter,
      from: maybe(moment),
      to: maybe(moment),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: is('balanceAt'), person, at: moment }) },
  { weight: 2, arbitrary: fc.record({ type: is('quote'), ...purpose }) },
  { weight: 2, arbitrary: fc.record({ type: is('readMandates'), person }) },
] as const;

/** One step of a history. */
export const steps = fc.oneof(...spending, ...moving, ...consenting, ...passing, ...asking);

export type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;
export type StepOf<Type extends Step['type']> = Extract<Step, { type: Type }>;
export type Moment = { share: number; offsetMs: number };
