import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  importedHash as hash,
  jsonLines as lines,
  takeIn,
  type Taken,
} from '../../../../test/harness/imports.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { logIn, registerPerson, signIn } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import { verifyLedger } from '../../credits/index.ts';
import type { ImportOptions } from '../index.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const newEmail = () => `${randomUUID()}@example.com`;
const take = (content: string | Buffer, options: Partial<ImportOptions> = {}): Promise<Taken> =>
  takeIn(service, content, options);

async function profileOf(email: string, password = 'imported pass') {
  const { status, body } = await logIn(service, { email, password, id: '' });
  expect(status).toBe(200);
  return body.user;
}

async function rowsOf(email: string) {
  const { rows } = await owner.query('select * from auth.users where email = $1', [email]);
  return rows;
}

test('a person comes with everything that they had, and signs in with their password', async () => {
  const [email, id] = [newEmail(), randomUUID()];
  const person = {
    id,
    email: ` ${email.toUpperCase()} `,
    emailVerified: true,
    name: 'Ada',
    username: `ada-${id}`,
    picture: 'https://example.com/ada.png',
    passwordHash: hash,
    createdAt: '2024-05-06 07:08:09.123456+00',
    credits: 420,
    freeCredits: '7',
    accounts: [{ provider: 'google', id: `g-${id}`, email }],
  };
  expect(await take(lines(person))).toMatchObject({ created: 1, updated: 0, skipped: 0, notes: [] });
  expect(await profileOf(email)).toMatchObject({
    id,
    email,
    emailVerified: true,
    name: 'Ada',
    username: `ada-${id}`,
    picture: 'https://example.com/ada.png',
    role: 'user',
    credits: 427,
    createdAt: '2024-05-06T07:08:09.123Z',
  });
  const { rows } = await owner.query(
    'select provider, provider_account_id, email from auth.accounts where user_id = $1',
    [id],
  );
  expect(rows).toEqual([{ provider: 'https://accounts.google.com', provider_account_id: `g-${id}`, email }]);
  const { accessToken: token } = await signIn(service, { email, password: 'imported pass', id });
  const balance = await service.send('GET', '/api/v1/credits/balance', { token });
  expect(balance.body).toMatchObject({ balance: 420, freeCreditsRemaining: 7 });
  const trail = await service.send('GET', '/api/v1/auth/security-events', { token });
  const types = trail.body.events.map(({ type }: { type: string }) => type);
  expect(types).toEqual(expect.arrayContaining(['account.imported', 'password.upgraded', 'login.succeeded']));
  expect(await verifyLedger(service.ctx.db, { walletId: id })).toMatchObject({ isSound: true, wallets: 1 });
});

test('a wallet has no signup bonus, unless the operator says so', async () => {
  const [without, with_] = [newEmail(), newEmail()];
  await take(lines({ email: without, passwordHash: hash }));
  await take(lines({ email: with_, passwordHash: hash }), { withBonus: true });
  expect((await profileOf(without)).credits).toBe(0);
  expect((await profileOf(with_)).credits).toBe(150);
});

test('the same file again does nothing, and says what came of it', async () => {
  const file = lines({ email: newEmail() }, { email: 'nonsense' });
  const first = await take(file);
  expect(first).toMatchObject({ created: 1, skipped: 1, wasFinished: false });
  const again = await take(file);
  expect(again).toEqual({ ...first, resumedAfter: 2, wasFinished: true });
  const { rows } = await owner.query(
    `select actor_type, details from audit.events where action = 'users.imported' and target_id = $1`,
    [first.importId],
  );
  expect(rows).toEqual([
    { actor_type: 'operator', details: { mapping: 'obol', created: 1, updated: 0, skipped: 1 } },
  ]);
});

test('of two runs of one import at once, one does the work or both share it, and nobody is made twice', async () => {
  const people = Array.from({ length: 1200 }, () => ({ email: newEmail() }));
  const results = await Promise.allSettled([take(lines(...people)), take(lines(...people))]);
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'auth.import_elsewhere' });
  }
  expect(await take(lines(...people))).toMatchObject({ created: 1200, skipped: 0 });
  const { rows } = await owner.query(
    `select count(*)::int as users, count(distinct u.email)::int as addresses
       from auth.users u join auth.imported_people i on i.user_id = u.id where u.email = any ($1)`,
    [people.map(({ email }) => email)],
  );
  expect(rows).toEqual([{ users: 1200, addresses: 1200 }]);
});

test('an address that has an account is skipped, and nothing of the account changes', async () => {
  const ada = await registerPerson(service);
  const before = await rowsOf(ada.email);
  const taken = await take(lines({ email: ada.email, name: 'Other', passwordHash: hash }));
  expect(taken).toMatchObject({ created: 0, skipped: 1 });
  expect(taken.notes).toEqual([{ record: 1, line: 1, outcome: 'skipped', reason: 'email_taken' }]);
  expect(await rowsOf(ada.email)).toEqual(before);
  expect((await logIn(service, ada)).status).toBe(200);
});

test('a name that is taken is left out, and the person is not', async () => {
  const [id, username] = [randomUUID(), `ben-${randomUUID()}`];
  await take(lines({ id, email: newEmail(), username, accounts: `github:${id}`, auth0Id: `auth0|${id}` }));
  const email = newEmail();
  const taken = await take(
    lines({
      id,
      email,
      username: username.toUpperCase(),
      accounts: `github:${id}`,
      auth0Id: `auth0|${id}`,
    }),
  );
  expect(taken).toMatchObject({ created: 1, skipped: 0 });
  expect(taken.notes.map(({ outcome, reason }) => `${outcome} ${reason}`)).toEqual([
    'created account_taken',
    'created auth0_id_taken',
    'created id_taken',
    'created username_taken',
  ]);
  const [row] = await rowsOf(email);
  expect(row).toMatchObject({ username: null, auth0_id: null });
  expect(row.id).not.toBe(id);
});

test('an administrator is one here only when the operator says so', async () => {
  const [plain, kept] = [newEmail(), newEmail()];
  const taken = await take(lines({ email: plain, role: 'admin' }));
  expect(taken.notes).toMatchObject([{ outcome: 'created', reason: 'role_left_out' }]);
  await take(lines({ email: kept, role: 'admin' }), { withRoles: true });
  expect(await rowsOf(plain)).toMatchObject([{ role: 'user' }]);
  expect(await rowsOf(kept)).toMatchObject([{ role: 'admin' }]);
});

test.each([
  ['isActive', false],
  ['is_active', 'perhaps'],
  ['isBlocked', 't'],
  ['deletedAt', '2024-01-01 00:00:00'],
])('whoever was shut out (%s %j) is not let in', async (field, value) => {
  const email = newEmail();
  await take(lines({ email, passwordHash: hash, [field]: value }));
  const answer = await logIn(service, { email, password: 'imported pass', id: '' });
  expect(answer.body.code).toBe('auth.account_deactivated');
});

test('each line that cannot be used is named with its reason, and hinders no other', async () => {
  const [first, last] = [newEmail(), newEmail()];
  const file = Buffer.concat([
    Buffer.from('\ufeff'),
    Buffer.from(`${JSON.stringify({ email: first })}\r\n`),
    Buffer.from('\n   \n'),
    Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d, 0x0a]),
    Buffer.from('{"email": "a@example.com"\n'),
    Buffer.from('["a@example.com"]\n'),
    Buffer.from(`{"email":"a@example.com","name":"${'x'.repeat(300_000)}"}\n`),
    Buffer.from('{"name":"Nobody"}\n'),
    Buffer.from('{"email":"not an address"}\n'),
    Buffer.from('{"email":"a\\u0000b@example.com"}\n'),
    Buffer.from('{"email":{"$ne":null}}\n'),
    Buffer.from(`{"email":"${first.toUpperCase()}"}\n`),
    Buffer.from(JSON.stringify({ email: last })),
  ]);
  const taken = await take(file);
  expect(taken).toMatchObject({ created: 2, updated: 0, skipped: 9 });
  expect(taken.notes.map(({ line, reason }) => [line, reason])).toEqual([
    [4, 'not_utf8'],
    [5, 'not_json'],
    [6, 'not_an_object'],
    [7, 'line_too_long'],
    [8, 'email_missing'],
    [9, 'email_invalid'],
    [10, 'email_missing'],
    [11, 'email_missing'],
    [12, 'duplicate_in_file'],
  ]);
  expect(await rowsOf(last)).toHaveLength(1);
});

test('what cannot be used of a person is left out and noted; the person is there', async () => {
  const email = newEmail();
  const taken = await take(
    lines({
      email,
      emailVerified: 'soon',
      name: 'a\u0007',
      username: 'a b',
      picture: 'javascript:alert(1)',
      passwordHash: '{SHA}nonsense',
      createdAt: '2999-01-01',
      credits: -1,
      freeCredits: 1e300,
      accounts: [{ provider: 'google' }],
      auth0Id: {},
    }),
  );
  expect(taken.notes.map(({ outcome, reason }) => `${outcome} ${reason}`)).toEqual([
    'created accounts_invalid',
    'created auth0_id_invalid',
    'created created_at_invalid',
    'created credits_invalid',
    'created email_verified_invalid',
    'created free_credits_invalid',
    'created hash_unknown',
    'created name_invalid',
    'created picture_invalid',
    'created username_invalid',
  ]);
  expect(await rowsOf(email)).toMatchObject([{ name: null, username: null, picture: null }]);
  const answer = await logIn(service, { email, password: '{SHA}nonsense', id: '' });
  expect(answer.body.code).toBe('auth.invalid_credentials');
});

test('a dry run says the same as the run, and keeps nothing', async () => {
  const email = newEmail();
  const people = Array.from({ length: 600 }, () => ({ email: newEmail() }));
  const file = lines({ email }, ...people, { email }, { email: 'nonsense' });
  const rehearsed = await take(file, { isDryRun: true });
  expect(rehearsed).toMatchObject({ created: 601, updated: 0, skipped: 2 });
  expect(await rowsOf(email)).toEqual([]);
  const { rows } = await owner.query('select id from auth.imports where id = $1', [
    rehearsed.importId || null,
  ]);
  expect(rows).toEqual([]);
  const taken = await take(file);
  expect(taken.notes).toEqual(rehearsed.notes);
  expect(taken).toMatchObject({ created: 601, skipped: 2, resumedAfter: 0 });
});
