import { expect } from 'vitest';
import { verifyLedger } from '../../../src/domains/credits/index.ts';
import type { Answer } from '../index.ts';
import type { Lot } from './lot.ts';
import type { Row, WalletModel } from './wallet.ts';
import { nowOf, type Call, type Credentials, type World } from './world.ts';

const pageMax = 200;

/** Sends a request, asks the model the same, and compares code, replay, answer and the wallets after. */
export async function perform(world: World, call: Call): Promise<void> {
  const { method, path, body, as, wallets, decide, learn } = call;
  const expected = decide(nowOf(world));
  const answer = await world.send(method, `/api/v1/credits/${path}`, { ...as, body });
  expect({ code: codeOf(answer), isReplay: isReplay(answer) }).toEqual({
    code: expected.code,
    isReplay: expected.isReplay,
  });
  expect(answer.body).toMatchObject(expected.code === null ? expected.shown : expected.details);
  if (expected.code === null) {
    const { free, paid, held, totalSpent } = expected.totals;
    const available = free + paid - held;
    const told = { balance: paid, freeCreditsRemaining: free, totalSpent, available };
    if (isTold(world, call)) expect(answer.body.newBalance).toMatchObject(told);
    else expect(answer.body).not.toHaveProperty('newBalance');
    learn?.(answer);
  }
  for (const wallet of wallets) await compareWallet(world, wallet);
}

/** Of what an app may do without a mandate in force, it is told nothing about the wallet then. */
function isTold(world: World, { as, path, wallets }: Call): boolean {
  if ('token' in as || !/(capture|void|refunds)$/.test(path)) return true;
  return wallets.every(({ mandates }) => mandates.some((one) => one.statusAt(nowOf(world)) === 'active'));
}

export const codeOf = ({ status, body }: Answer): string | null =>
  status < 400 ? null : (body.code ?? `status ${status}`);

const isReplay = ({ headers }: Answer): boolean => headers.get('idempotency-replayed') === 'true';

/** Where the routes about a wallet are, and who may ask them. */
function routesOf(world: World, wallet: WalletModel): { path: string; as: Credentials } {
  const holder = wallet === world.wallets.bob ? world.people.bob : world.people.alice;
  const path = wallet.isTeam ? `/api/v1/credits/teams/${world.teamId}` : '/api/v1/credits';
  return { path, as: { token: holder.token } };
}

export async function read(world: World, wallet: WalletModel, path: string): Promise<Answer> {
  const routes = routesOf(world, wallet);
  const answer = await world.send('GET', `${routes.path}${path}`, routes.as);
  expect([path, answer.status, answer.body.code]).toEqual([path, 200, undefined]);
  return answer;
}

/** Balance, lots and what is new in the journal are what the model says. */
export async function compareWallet(world: World, wallet: WalletModel): Promise<void> {
  wallet.refresh(nowOf(world));
  const { body } = await read(world, wallet, wallet.isTeam ? '' : '/balance');
  await compareJournal(world, wallet);
  const { free, paid, held, totalSpent } = wallet.totals();
  expect(wallet.isTeam ? body.balance : body).toMatchObject({
    balance: paid,
    freeCreditsRemaining: free,
    held,
    available: free + paid - held,
    debt: wallet.debt,
    totalSpent,
    totalEarned: wallet.totalEarned,
    status: wallet.status,
    lots: wallet.openLots().map(showLot),
  });
}

const showLot = ({ id, source, kind, remaining, expiresAt }: Lot) => ({
  id,
  source,
  kind,
  remaining,
  expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
});

async function compareJournal(world: World, wallet: WalletModel): Promise<void> {
  const known = wallet.journal.findLastIndex(({ id }) => id !== null) + 1;
  const rows = wallet.journal.slice(known);
  const found: any[] = [];
  while (found.length < rows.length) {
    const limit = Math.min(pageMax, rows.length - found.length);
    const { body } = await read(world, wallet, `/transactions?limit=${limit}&offset=${found.length}`);
    if (body.length === 0) break;
    found.push(...body);
  }
  found.reverse();
  for (const [index, row] of rows.entries()) learnRow(wallet, row, found[index]);
  expect(found.map(showFound)).toEqual(rows.map((row, index) => showRow(row, known + index + 1)));
}

/** Ids are the service's to give: of a transaction, and of each lot where it comes in. */
function learnRow(wallet: WalletModel, row: Row, found: any): void {
  row.id = found?.id ?? null;
  for (const [place, { lot }] of row.entries.entries()) {
    const id = found?.entries[place]?.lotId ?? null;
    if (lot && lot.id === null && !wallet.lots.some((other) => other.id === id)) lot.id = id;
  }
}

/** A transaction as the model has it, in the words of the API. */
export const showRow = (row: Row, sequence: number) => ({
  id: row.id,
  sequence,
  type: row.type,
  amount: row.amount,
  appId: row.appId,
  createdAt: new Date(row.at).toISOString(),
  balanceAfter: row.free + row.paid,
  entries: row.entries.map(({ account, amount, lot }) => ({ account, amount, lotId: lot?.id ?? null })),
});

export const showFound = (found: any): ReturnType<typeof showRow> => {
  const { id, sequence, type, amount, appId, createdAt, balanceAfter, entries } = found;
  return { id, sequence, type, amount, appId, createdAt, balanceAfter, entries };
};

/** Everything that the ledger can prove of its wallets from the journal, it does prove. */
export async function expectProved(world: World): Promise<void> {
  for (const { id } of Object.values(world.wallets)) {
    const { findings } = await verifyLedger(world.service.ctx.db, { walletId: id });
    expect(findings).toEqual([]);
  }
}
