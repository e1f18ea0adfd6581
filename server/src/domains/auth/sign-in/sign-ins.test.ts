import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { untilSomebodyWaits } from '../../../../test/harness/locks.ts';
import { logIn, registerPerson, signIn, type Person } from '../../../../test/harness/people.ts';
import { watchStatements } from '../../../../test/harness/statements.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import { writeDocument } from '../../../db/documents.ts';
import { openSession, prepareSession } from '../open-session.ts';
import { securityEventRow } from '../record-security-event.ts';
import { securityEvents } from '../tables.ts';
import type { SignInAtOnce } from './sign-ins.ts';

const service = await startTestService();
const { ctx } = service;
const owner = await connectAsOwner(service);
const origin = { ipAddress: '198.51.100.7', userAgent: 'curl/8.5.0' };
const amr = ['pwd' as const];

/** Somebody who has signed in from here before, so that there is nothing to tell of. */
async function newPerson(): Promise<Person> {
  const person = await registerPerson(service);
  await ctx.db.asService((tx) => openSession(ctx, tx, { userId: person.id, amr }, {}, origin));
  return person;
}

async function prepare({ id: userId }: Person): Promise<SignInAtOnce> {
  const { rows } = await owner.query('select hash from auth.passwords where user_id = $1', [userId]);
  const session = prepareSession(ctx, { userId, amr }, {}, origin);
  const event = { type: 'login.succeeded' as const, userId, sessionId: session.id };
  return {
    session,
    hash: rows[0].hash,
    event: writeDocument(securityEvents, securityEventRow(ctx, event, origin)),
  };
}

async function isWritten({ session: { id } }: SignInAtOnce): Promise<boolean[]> {
  const { rows } = await owner.query(
    `select exists (select from auth.sessions where id = $1) as session,
            exists (select from auth.refresh_tokens where session_id = $1) as token,
            exists (select from auth.security_events where session_id = $1) as event`,
    [id],
  );
  return Object.values(rows[0]);
}

test('sign-ins that come at once are one call, and of those that need more nothing is written', async () => {
  const [plain, other, off, strong] = [
    await newPerson(),
    await newPerson(),
    await newPerson(),
    await newPerson(),
  ];
  const [elsewhere, replaced, last] = [await newPerson(), await newPerson(), await newPerson()];
  const people = [plain, other, off, strong, elsewhere, replaced, last];
  const signIns: SignInAtOnce[] = [];
  for (const person of people) signIns.push(await prepare(person));
  await owner.query('update auth.users set is_active = false where id = $1', [off.id]);
  await owner.query(
    `insert into auth.two_factor_auth (user_id, sealed_secret, created_at, enabled_at)
     values ($1, '\\x00', now(), now())`,
    [strong.id],
  );
  await owner.query(`update auth.known_devices set device_hash = '\\x00' where user_id = $1`, [elsewhere.id]);
  await owner.query(`update auth.passwords set hash = hash || 'x' where user_id = $1`, [replaced.id]);
  const watch = watchStatements(service);
  const { result, statements } = await watch.during(() =>
    Promise.all(signIns.map((signIn) => ctx.signIns.open(signIn))),
  );
  watch.end();
  const atOnce = [plain.id, other.id, undefined, undefined, undefined, undefined, last.id];
  expect(result.map((person) => person?.['id'])).toEqual(atOnce);
  expect(statements.filter((text) => text.includes('sign_in_together'))).toHaveLength(1);
  for (const [index, signIn] of signIns.entries()) {
    const isAtOnce = atOnce[index] !== undefined;
    expect(await isWritten(signIn)).toEqual([isAtOnce, isAtOnce, isAtOnce]);
  }
});

test('many sign-ins from many addresses are told of: they are not done at once', async () => {
  const person = await newPerson();
  for (const count of [1, 2, 3, 4]) {
    expect(await ctx.signIns.open(await prepare(person))).not.toBeNull();
    await owner.query(
      `update auth.sessions set ip_address = '203.0.113.' || $2 where id =
         (select id from auth.sessions where user_id = $1 and ip_address = $3 order by id limit 1)`,
      [person.id, count, origin.ipAddress],
    );
  }
  const fifth = await prepare(person);
  expect(await ctx.signIns.open(fifth)).toBeNull();
  expect(await isWritten(fifth)).toEqual([false, false, false]);
});

test.each([
  ['password', 'select from auth.passwords where user_id = $1 for update', true],
  ['account', 'select from auth.users where id = $1 for update', true],
  // As somebody else who signs in by another way than a password does.
  ['account by a sign-in', 'select from auth.users where id = $1 for no key update', false],
])('whose %s is held holds up nobody else', async (_, lock, makesWait) => {
  const [held, other] = [await newPerson(), await newPerson()];
  await owner.query('begin');
  await owner.query(lock, [held.id]);
  const signIns = [await prepare(held), await prepare(other)];
  const [waiting, answered] = await Promise.all(signIns.map((one) => ctx.signIns.open(one)));
  expect([waiting, answered?.['id']]).toEqual([null, other.id]);
  const late = logIn(service, held);
  if (makesWait) await untilSomebodyWaits(owner);
  await signIn(service, other);
  await owner.query('commit');
  expect((await late).status).toBe(200);
});

test('a storm of sign-ins of one person opens a session for each', async () => {
  const person = await newPerson();
  const answers = await Promise.all(Array.from({ length: 12 }, () => logIn(service, person)));
  const sessions = new Set(answers.map(({ status, body }) => (status === 200 ? body.refreshToken : status)));
  expect(sessions.size).toBe(12);
  const { rows } = await owner.query(
    `select count(*)::int as count from auth.security_events where user_id = $1 and type = 'login.succeeded'`,
    [person.id],
  );
  expect(rows[0].count).toBe(12);
});
