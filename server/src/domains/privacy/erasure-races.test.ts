import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addTeam } from '../../../test/harness/teams.ts';
import { addWalletHolder, connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);

test('whoever has no password must have signed in a moment ago', async () => {
  const holder = await addWalletHolder(service);
  service.clock.advance({ minutes: 11 });
  const late = await service.send('DELETE', '/api/v1/users/me?erase=true', { token: holder.token, body: {} });
  expect(late.body.code).toBe('auth.sign_in_again');
  await owner.query('update auth.sessions set authenticated_at = $1 where id = $2', [
    service.clock.now(),
    holder.sessionId,
  ]);
  const fresh = await service.send('DELETE', '/api/v1/users/me?erase=true', {
    token: holder.token,
    body: {},
  });
  expect(fresh.status).toBe(200);
});

test('of two erasures at once one happens', async () => {
  const holder = await addWalletHolder(service);
  const answers = await Promise.all(
    [1, 2].map(() =>
      service.send('DELETE', '/api/v1/users/me?erase=true', { token: holder.token, body: {} }),
    ),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.map(({ body }) => body.code)).not.toContain('server.internal');
});

test('of two last owners who leave at once one stays', async () => {
  const [one, two] = [await addWalletHolder(service), await addWalletHolder(service)];
  const third = await addWalletHolder(service);
  const team = await addTeam(service, one, 'Two');
  for (const [holder, role] of [
    [two, 'owner'],
    [third, 'member'],
  ] as const) {
    await owner.query(
      `insert into credits.team_members (wallet_id, user_id, role, created_at) values ($1, $2, $3, $4)`,
      [team.id, holder.userId, role, service.clock.now()],
    );
  }
  const answers = await Promise.all(
    [one, two].map(({ token }) => service.send('DELETE', '/api/v1/users/me?erase=true', { token, body: {} })),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
});
