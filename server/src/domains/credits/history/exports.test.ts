import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { spend } from '../../../../test/harness/movements.ts';
import { addPerson, addTeam } from '../../../../test/harness/teams.ts';
import { addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';
import { createExportLane } from './export-lane.ts';
import { formatStatement } from './format-statement.ts';
import { readStatement } from './read-statement.ts';

const service = await startTestService({ env: { CREDITS_TRANSFER_BONUS: 'true' } });
const owner = await connectAsOwner(service);
const month = '2026-03';

test.each([
  ['=1+1', `"'=1+1"`],
  [' =1+1', `"' =1+1"`],
  ['＝1+1', `"'＝1+1"`],
  ['－1', `"'－1"`],
  ['x;=HYPERLINK("https://evil.example")', `"x;'=HYPERLINK(""https://evil.example"")"`],
  ['a|@b; -c', `"a|'@b;' -c"`],
  ['2 + 2 = 4, or 5-1', '"2 + 2 = 4, or 5-1"'],
])('a spreadsheet takes no part of %s for a formula', async (description, cell) => {
  const holder = await addWalletHolder(service);
  await spend(service, holder, 1, { description });
  const path = `/api/v1/credits/statement?month=${month}&format=csv`;
  const { body } = await service.send('GET', path, { token: holder.token });
  expect(body).toContain(`,usage,"chat",${cell},-1,149,`);
});

test.each(['json', 'csv'] as const)('%s that can no longer be read to its end breaks off', async (format) => {
  const [boss, ada] = [await addPerson(service, owner), await addPerson(service, owner)];
  const team = await addTeam(service, boss);
  await team.transfer(boss, 10);
  await team.join(ada, { role: 'admin' });
  service.clock.advance({ seconds: 1 });
  const exported = async (meanwhile: () => Promise<unknown>): Promise<string> => {
    const statement = await readStatement(service.ctx, createExportLane(), ada, { month }, team.id);
    await meanwhile();
    let text = '';
    for await (const piece of formatStatement(statement, format)) text += piece;
    return text;
  };
  expect(await exported(async () => {})).toContain('Transfer to a team');
  await expect(exported(() => team.remove(boss, ada))).rejects.toThrow('can no longer be read');
});

test('over HTTP, who was removed meanwhile gets no answer that looks whole', async () => {
  const [boss, ada] = [await addPerson(service, owner), await addPerson(service, owner)];
  const team = await addTeam(service, boss);
  await team.transfer(boss, 10);
  await team.join(ada, { role: 'admin' });
  service.clock.advance({ seconds: 1 });
  // Between the balances of the statement and its movements, which are read with a transaction of their own.
  const { db } = service.ctx;
  const asCaller = db.asCaller.bind(db);
  let calls = 0;
  db.asCaller = async (caller, work) => {
    const result = await asCaller(caller, work);
    if (caller.userId === ada.userId && ++calls === 2) await team.remove(boss, ada);
    return result;
  };
  try {
    const path = `/api/v1/credits/teams/${team.id}/statement?month=${month}`;
    const answer = await service.send('GET', path, { token: ada.token }).catch(() => undefined);
    expect(calls).toBeGreaterThan(2);
    expect(answer?.status ?? 'cut').not.toBe(200);
  } finally {
    db.asCaller = asCaller;
  }
});
