import { expect, test } from 'vitest';
import { runTeam, type Colleague } from '../../examples/team.ts';
import { startTestService } from './harness/index.ts';
import { expectSound, readOwn } from './harness/movements.ts';
import { addPerson, emailOf } from './harness/teams.ts';
import { addLot, connectAsOwner } from './harness/wallets.ts';

const service = await startTestService();
const database = await connectAsOwner(service);
const colleague = async (name: string): Promise<Colleague> => {
  const holder = await addPerson(service, database);
  return { ...holder, name, email: emailOf(holder) };
};

test('a team buys in, three members spend up to their limits, and the owner raises one', async () => {
  const owner = await colleague('Owner');
  await addLot(service, { ...owner, sessionId: '' }, { source: 'purchase', kind: 'paid', amount: 150 });
  const colleagues = await Promise.all(['Ada', 'Ben', 'Eve'].map(colleague));
  const report = await runTeam(service.url, { owner, colleagues, buyIn: 150, limit: 35 });
  expect(report).toEqual({
    teamId: expect.any(String),
    spends: { Ada: 4, Ben: 3, Eve: 3 },
    stopped: ['Ada', 'Ben', 'Eve'].map((name) => ({ name, remaining: 5 })),
    available: 50,
  });
  const holder = { userId: owner.userId, sessionId: '', token: owner.token };
  const usage = await readOwn(service, holder, `teams/${report.teamId}/usage`);
  expect(usage).toMatchObject({ totals: { count: 10, amount: 100 } });
  await expectSound(service);
});
