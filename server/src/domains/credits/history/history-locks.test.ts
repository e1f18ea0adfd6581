import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { readOwn } from '../../../../test/harness/movements.ts';
import { addPerson, addTeam } from '../../../../test/harness/teams.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

const service = await startTestService({ env: { CREDITS_TRANSFER_BONUS: 'true' } });
const owner = await connectAsOwner(service);
const boss = await addPerson(service, owner);
const team = await addTeam(service, boss);
await team.transfer(boss, 100);

test.each([
  ['transactions?type=usage', 'own'],
  ['balance-at?at=2026-03-01', 'own'],
  ['statement?month=2026-03', 'own'],
  ['holds', 'own'],
  ['mandates', 'own'],
  [`teams/${team.id}/transactions?appId=chat`, 'team'],
  [`teams/${team.id}`, 'team'],
  ['teams', 'team'],
])('while %s is read, nothing is locked, also when something was due', async (path, whose) => {
  const walletId = whose === 'team' ? team.id : boss.userId;
  const body = { amount: 1, appId: 'chat', description: 'x', walletId, expiresInSeconds: 60 };
  await service.send('POST', '/api/v1/credits/holds', { token: boss.token, body });
  service.clock.advance({ seconds: 60 });
  const isLocked = async () => {
    const free = 'select from credits.balances where wallet_id = $1 for no key update skip locked';
    return (await owner.query(free, [walletId])).rows.length === 0;
  };
  const { db } = service.ctx;
  const asCaller = db.asCaller.bind(db);
  const locked: boolean[] = [];
  db.asCaller = (caller, work) =>
    asCaller(caller, async (tx) => {
      const result = await work(tx);
      locked.push(await isLocked());
      return result;
    });
  try {
    await readOwn(service, boss, path);
  } finally {
    db.asCaller = asCaller;
  }
  expect(locked).toContain(true);
  expect(locked.at(-1)).toBe(false);
});
