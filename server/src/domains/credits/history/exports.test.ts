import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { post, readOwn, spend } from '../../../../test/harness/movements.ts';
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
  ['x;"=1+1;y', `"x;'""=1+1;y"`],
  ['2 + 2 = 4, or 5-1', '"2 + 2 = 4, or 5-1"'],
])('a spreadsheet takes no part of %s for a formula', async (description, cell) => {
  const holder = await addWalletHolder(service);
  await spend(service, holder, 1, { description });
  const path = `/api/v1/credits/statement?month=${month}&format=csv`;
  const { body } = await service.send('GET', path, { token: holder.token });
  expect(body).toContain(`,usage,"chat",${cell},-1,149,`);
});

test.each(['of a person', 'of a team'])('a statement %s adds up, holds and all', async (whose) => {
  const boss = await addPerson(service, owner);
  const team = await addTeam(service, boss);
  if (whose === 'of a team') await team.transfer(boss, 150);
  const wallet = whose === 'of a team' ? { walletId: team.id } : {};
  const place = async (amount: number) => {
    const body = { amount, appId: 'chat', description: 'Answer', ...wallet };
    return (await post(service, boss, 'holds', body)).body.id;
  };
  await post(service, boss, `holds/${await place(100)}/capture`, { amount: 40 });
  await place(10);
  service.clock.advance({ seconds: 1 });
  const path = whose === 'of a team' ? `teams/${team.id}/statement` : 'statement';
  const { movements, ...balances } = await readOwn(service, boss, `${path}?month=${month}`);
  expect(balances).toMatchObject({ opening: 0, closing: 110 });
  expect(movements.map(({ type, amount, setAside }: any) => [type, amount, setAside])).toEqual([
    [whose === 'of a team' ? 'transfer' : 'bonus', 150, 0],
    ['hold', 0, 100],
    ['capture', -40, 0],
    ['void', 0, -60],
    ['hold', 0, 10],
  ]);
  const csv: string = await readOwn(service, boss, `${path}?month=${month}&format=csv`);
  const [names, ...rows] = csv.split('\r\n').map((row) => row.split(','));
  const column = names?.indexOf('amount') ?? -1;
  expect(rows.reduce((sum, row) => sum + Number(row[column] ?? 0), 0)).toBe(110);
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
