import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { readMigrations } from '../src/db/migrate.ts';
import { startTestService } from './harness/index.ts';
import { registerPerson, signIn } from './harness/people.ts';
import { connectAsOwner } from './harness/wallets.ts';

// What 0064_administration does to the people whom it finds, as they were before.

const service = await startTestService({ env: { SIGNUP_BONUS_PER_ADDRESS: '0' } });
const owner = await connectAsOwner(service);

async function upgradePeople(): Promise<void> {
  const { sql = '' } = (await readMigrations()).find(({ name }) => name.startsWith('0064_')) ?? {};
  const statements = sql.match(/^(update auth\.users|select obol\.enqueue_job)[^;]+;/gm) ?? [];
  expect(statements).toHaveLength(3);
  for (const statement of statements) await owner.query(statement);
}

test('a ban is no deactivation any more, and whoever is erased is inactive again', async () => {
  const [banned, both, erased] = [randomUUID(), randomUUID(), randomUUID()];
  await owner.query(
    `insert into auth.users (id, email, is_active, deactivated_at, banned_at, ban_reason, erased_at, created_at, updated_at)
     values ($1, 'banned@example.com', false, '2026-02-01', '2026-02-01', 'Spam', null, now(), now()),
            ($2, 'both@example.com', false, '2026-01-01', '2026-02-01', 'Spam', null, now(), now()),
            ($3, 'x@erased.invalid', true, null, null, null, '2026-01-01', now(), now())`,
    [banned, both, erased],
  );
  await upgradePeople();
  const { rows } = await owner.query(
    `select is_active, deactivated_at is null as is_banned_alone, email from auth.users
      where id = any ($1) order by email`,
    [[banned, both, erased]],
  );
  expect(rows).toEqual([
    { is_active: false, is_banned_alone: true, email: 'banned@example.com' },
    { is_active: false, is_banned_alone: false, email: 'both@example.com' },
    { is_active: false, is_banned_alone: true, email: 'x@erased.invalid' },
  ]);
});

test('a bonus that waits for an address which was confirmed from the start is paid', async () => {
  const person = await registerPerson(service);
  await owner.query('alter table auth.users disable trigger users_announce_confirmed_address');
  await owner.query('update auth.users set email_verified_at = created_at where id = $1', [person.id]);
  await owner.query('alter table auth.users enable trigger users_announce_confirmed_address');
  await upgradePeople();
  await service.ctx.jobs.runDue();
  const { accessToken: token } = await signIn(service, person);
  expect((await service.send('GET', '/api/v1/credits/balance', { token })).body.available).toBe(150);
});
