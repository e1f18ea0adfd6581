import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { makeKey, verifyKey } from '../../../../test/harness/api-keys.ts';
import { registerWithTotp } from '../../../../test/harness/factors.ts';
import {
  importedHash as passwordHash,
  jsonLines as lines,
  takeIn,
  type Taken,
} from '../../../../test/harness/imports.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { untilSomebodyWaits } from '../../../../test/harness/locks.ts';
import { logIn, registerPerson, signIn, type Person } from '../../../../test/harness/people.ts';
import { accountsOf, confirmAddress, eventsOf } from '../../../../test/harness/upstream.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

// What becomes of accounts that are there already, with the policy `update`.

const service = await startTestService();
const owner = await connectAsOwner(service);
const imported = 'imported pass';
const google = 'https://accounts.google.com';

const update = (...people: unknown[]): Promise<Taken> =>
  takeIn(service, lines(...people), { onConflict: 'update', withRoles: true });

/** Everything by which the person of a record would sign in. */
const waysIn = () => {
  const id = randomUUID();
  return { passwordHash, auth0Id: `auth0|${id}`, accounts: `google:${id}` };
};

const reasonsOf = ({ notes }: Taken): string[] => notes.map(({ outcome, reason }) => `${outcome} ${reason}`);

async function rowOf({ id }: Person) {
  const { rows } = await owner.query('select * from auth.users where id = $1', [id]);
  return rows[0];
}

describe('21. accounts are joined only where both sides have confirmed the address', () => {
  test.each([
    ['that is confirmed here only', true],
    ['that is confirmed nowhere', false],
  ])('of a record with an address %s nothing signs in here', async (_, isConfirmedHere) => {
    const ada = await registerPerson(service);
    if (isConfirmedHere) await confirmAddress(service, ada);
    const { accessToken: token } = await signIn(service, ada);
    const taken = await update({ email: ada.email, name: 'Ada', ...waysIn() });
    expect(taken).toMatchObject({ updated: 1 });
    expect(reasonsOf(taken)).toEqual(['updated email_unconfirmed']);
    expect((await logIn(service, ada, imported)).status).toBe(401);
    expect((await logIn(service, ada)).status).toBe(200);
    expect(await accountsOf(service, token)).toEqual([]);
    const { auth0_id, name, email_verified_at } = await rowOf(ada);
    expect([auth0_id, name, email_verified_at !== null]).toEqual([null, 'Ada', isConfirmedHere]);
  });

  test('with an address that is confirmed on both, the password of the file replaces the one here', async () => {
    const ada = await registerPerson(service);
    await confirmAddress(service, ada);
    const { accessToken: token } = await signIn(service, ada);
    const { key } = await makeKey(service, token);
    const ways = waysIn();
    const taken = await update({ email: ada.email, name: 'Ada', emailVerified: true, ...ways });
    expect(taken).toMatchObject({ updated: 1, notes: [] });
    expect((await service.send('GET', '/api/v1/users/me', { token })).body.code).toBe('auth.session_ended');
    expect((await logIn(service, ada)).status).toBe(401);
    const { accessToken } = await signIn(service, { ...ada, password: imported });
    expect(await accountsOf(service, accessToken)).toMatchObject([{ issuer: google }]);
    expect(await eventsOf(service, accessToken)).not.toContain('account.reclaimed');
    expect((await verifyKey(service, key)).body.valid).toBe(true);
    expect(await rowOf(ada)).toMatchObject({ name: 'Ada', auth0_id: ways.auth0Id });
  });

  test('whoever registered under an address that only the file has confirmed leaves no way in', async () => {
    const squatter = await registerWithTotp(service);
    const { key } = await makeKey(service, squatter.accessToken);
    await owner.query(
      `insert into auth.accounts (id, user_id, provider, provider_account_id, created_at, last_used_at)
       values (gen_random_uuid(), $1, $2, $3, now(), now())`,
      [squatter.id, google, `of ${squatter.id}`],
    );
    const ways = waysIn();
    const taken = await update({ email: squatter.email, emailVerified: true, ...ways });
    expect(taken).toMatchObject({ updated: 1, notes: [] });
    expect((await logIn(service, squatter)).status).toBe(401);
    expect((await verifyKey(service, key)).body.valid).toBe(false);
    const { accessToken } = await signIn(service, { ...squatter, password: imported });
    const { rows } = await owner.query('select provider_account_id from auth.accounts where user_id = $1', [
      squatter.id,
    ]);
    expect(rows).toEqual([{ provider_account_id: ways.accounts.replace('google:', '') }]);
    expect(await eventsOf(service, accessToken)).toContain('account.reclaimed');
    const { email_verified_at, auth0_id } = await rowOf(squatter);
    expect([email_verified_at, auth0_id]).toEqual([expect.any(Date), ways.auth0Id]);
  });

  test('who has moved to another address meanwhile is not who the file means', async () => {
    const ada = await registerPerson(service);
    await owner.query('begin');
    await owner.query('update auth.users set email = $1 where id = $2', [
      `${randomUUID()}@example.com`,
      ada.id,
    ]);
    const arriving = update({ email: ada.email, emailVerified: true, ...waysIn() });
    await untilSomebodyWaits(owner);
    await owner.query('commit');
    expect(await arriving).toMatchObject({ created: 1, updated: 0 });
    const { email } = await rowOf(ada);
    expect((await logIn(service, { ...ada, email })).status).toBe(200);
  });
});

test('credits, a role and a ban of the old system are left out of an account that is here, and noted', async () => {
  const ada = await registerPerson(service);
  const { email } = ada;
  const taken = await update({ email, credits: 5, freeCredits: 7, isActive: false, role: 'admin' });
  expect(reasonsOf(taken)).toEqual([
    'updated credits_left_out',
    'updated deactivation_left_out',
    'updated role_left_out',
  ]);
  const { status, body } = await logIn(service, ada);
  expect(status).toBe(200);
  expect(body.user).toMatchObject({ credits: 150, role: 'user' });
});
