import { expect } from 'vitest';
import type { Answer } from '../index.ts';
import { codeOf, compareWallet, read, showFound, showRow } from './compare.ts';
import { appIdOf, spendingOf } from './play-spending.ts';
import { quote } from './spending.ts';
import type { Moment, StepOf } from './steps.ts';
import type { Row, WalletModel } from './wallet.ts';
import { nowOf, type World } from './world.ts';

type AppName = 'chat' | 'maps' | 'own';

/** An instant of a wallet's history: that of a transaction, or a little to the side; never in the future. */
function instantOf(world: World, { journal }: WalletModel, { share, offsetMs }: Moment): number {
  const row = journal[Math.floor((share * journal.length) / 1001)];
  return Math.min((row?.at ?? world.startedAt) + offsetMs, nowOf(world));
}

const iso = (instant: number): string => new Date(instant).toISOString();
const dayOf = (instant: number): string => iso(instant).slice(0, 10);

/** What time has done is in every answer. */
function upToDate(world: World, wallet: WalletModel): WalletModel {
  wallet.refresh(nowOf(world));
  return wallet;
}

/** Asks first, so that the question itself does what is due; then the model learns the ids of that. */
async function ask(world: World, wallet: WalletModel, path: string): Promise<Answer> {
  const answer = await read(world, wallet, path);
  await compareWallet(world, wallet);
  return answer;
}

/** A query string of what is given. */
function queryOf(parameters: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.toString();
}

const named = (world: World, app: AppName | undefined) =>
  app === undefined ? undefined : appIdOf(world, app);

/** The page that was asked for, the number of all, and the page that its link leads to. */
export async function playListTransactions(world: World, step: StepOf<'listTransactions'>): Promise<void> {
  const wallet = upToDate(world, world.wallets[step.wallet]);
  const from = step.from && instantOf(world, wallet, step.from);
  const to = step.to && instantOf(world, wallet, step.to);
  const appId = named(world, step.app);
  const { limit, offset } = step;
  const times = { from: from && iso(from), to: to && iso(to) };
  const answer = await ask(
    world,
    wallet,
    `/transactions?${queryOf({ appId, type: step.only, ...times, limit, offset })}`,
  );
  const all = wallet.journal
    .map((row, index) => ({ row, sequence: index + 1 }))
    .filter(({ row }) => row.at >= (from ?? 0) && row.at < (to ?? Infinity))
    .filter(({ row }) => appId === undefined || row.appId === appId)
    .filter(({ row }) => step.only === undefined || row.type === step.only)
    .toReversed()
    .map(({ row, sequence }) => showRow(row, sequence));
  expect(answer.headers.get('x-total-count')).toBe(String(all.length));
  expect(answer.body.map(showFound)).toEqual(all.slice(offset, offset + limit));
  const next = /[?](\S+)>/.exec(answer.headers.get('link') ?? '')?.[1];
  expect(next !== undefined).toBe(all.length > offset + limit);
  if (next === undefined) return;
  const { body } = await read(world, wallet, `/transactions?${next}`);
  expect(body.map(showFound)).toEqual(all.slice(offset + limit, offset + 2 * limit));
}

const balanceOf = (row: Row | undefined): number => (row ? row.free + row.paid : 0);

export async function playStatement(world: World, step: StepOf<'statement'>): Promise<void> {
  const wallet = upToDate(world, world.wallets[step.wallet]);
  const from = instantOf(world, wallet, step.from);
  const to = step.to && instantOf(world, wallet, step.to);
  const end = to ?? nowOf(world);
  const { body } = await ask(
    world,
    wallet,
    `/statement?${queryOf({ from: iso(from), to: to === undefined ? undefined : iso(to) })}`,
  );
  const before = wallet.journal.filter(({ at }) => at < from).length;
  const upTo = Math.max(before, wallet.journal.filter(({ at }) => at < end).length);
  expect(body).toMatchObject({
    from: iso(from),
    to: iso(end),
    opening: balanceOf(wallet.journal[before - 1]),
    closing: balanceOf(wallet.journal[upTo - 1]),
    openingHead: { sequence: before },
    closingHead: { sequence: upTo },
  });
  const rows = wallet.journal.slice(before, upTo);
  expect(body.movements.reduce((sum: number, { amount }: any) => sum + amount, body.opening)).toBe(
    body.closing,
  );
  expect(body.movements).toMatchObject(
    rows.map((row, index) => {
      const { entries: _entries, amount, ...shown } = showRow(row, before + index + 1);
      const change = balanceOf(row) - balanceOf(wallet.journal[before + index - 1]);
      return { ...shown, amount: change, setAside: change - amount };
    }),
  );
}

export async function playUsage(world: World, step: StepOf<'usage'>): Promise<void> {
  const wallet = world.wallets[step.wallet];
  const from = step.from && dayOf(instantOf(world, wallet, step.from));
  const to = step.to && dayOf(instantOf(world, wallet, step.to));
  const appId = named(world, step.app);
  const groups = new Map<string, { count: number; amount: number }>();
  const totals = { count: 0, amount: 0 };
  for (const [name, { count, amount }] of wallet.usage) {
    const [day = '', app = '', model = ''] = name.split('\n');
    if (day < (from ?? '') || day > (to ?? '9') || (appId !== undefined && app !== appId)) continue;
    const key = { app, day, model }[step.groupBy];
    const known = groups.get(key) ?? { count: 0, amount: 0 };
    groups.set(key, { count: known.count + count, amount: known.amount + amount });
    totals.count += count;
    totals.amount += amount;
  }
  const { body } = await read(world, wallet, `/usage?${queryOf({ groupBy: step.groupBy, appId, from, to })}`);
  const items = [...groups].map(([key, sums]) => ({ key, ...sums }));
  expect(body.totals).toEqual(totals);
  expect(sorted(body.items)).toEqual(sorted(items));
  const order = body.items.map((item: any) => (step.groupBy === 'day' ? Date.parse(item.key) : item.amount));
  expect(order).toEqual(order.toSorted((left: number, right: number) => right - left));
}

const sorted = (items: { key: string }[]) => items.toSorted((left, right) => (left.key < right.key ? -1 : 1));

export async function playBalanceAt(world: World, { person, at }: StepOf<'balanceAt'>): Promise<void> {
  const wallet = upToDate(world, world.wallets[person]);
  const instant = instantOf(world, wallet, at);
  const sequence = wallet.journal.filter((row) => row.at <= instant).length;
  const { free, paid, held } = wallet.journal[sequence - 1] ?? { free: 0, paid: 0, held: 0 };
  const { body } = await ask(world, wallet, `/balance-at?${queryOf({ at: iso(instant) })}`);
  expect(body).toMatchObject({
    balance: paid,
    freeCreditsRemaining: free,
    held,
    available: free + paid - held,
    head: { sequence },
  });
}

/** A quote says what the spend would come to. */
export async function playQuote(world: World, step: StepOf<'quote'>): Promise<void> {
  const { wallet, actor, appId, body } = spendingOf(world, step.spender, step.app);
  const { amount, model } = step;
  const expected = quote(actor, { wallet, appId, amount, model }, nowOf(world));
  const answer = await world.send('POST', '/api/v1/credits/quote', {
    ...actor.credentials,
    body: { ...body, amount },
  });
  await compareWallet(world, wallet);
  if (codeOf(answer) !== null) {
    expect(expected).toMatchObject({ code: codeOf(answer), details: {} });
    return;
  }
  if ('code' in expected) {
    const { resetsAt: _resetsAt, ...details } = expected.details;
    const blockedBy = { code: expected.code, ...details };
    expect(answer.body).toMatchObject({ passes: false, blockedBy, lots: [] });
    return;
  }
  const lots = expected.map((part) => ({ id: part.lot.id, amount: part.amount }));
  expect(answer.body).toMatchObject({ passes: true, blockedBy: null, lots });
}
