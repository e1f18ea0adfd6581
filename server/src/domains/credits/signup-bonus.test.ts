import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { canonicalMailbox } from '../../lib/mailbox.ts';
import { startTestService, type TestService } from '../../../test/harness/index.ts';
import { untilSoManyWait } from '../../../test/harness/locks.ts';
import { signIn } from '../../../test/harness/people.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';
import { verifyLedger } from './index.ts';

const env = { TRUST_PROXY: 'loopback' };
const service = await startTestService({ env });
const owner = await connectAsOwner(service);
const password = 'correct horse lantern';

let lastAddress = 0;
const freshAddress = () => `198.51.100.${++lastAddress}`;

async function register(email: string, address = freshAddress(), at: TestService = service) {
  const { status, body } = await at.send('POST', '/api/v1/auth/register', {
    body: { email, password },
    headers: { 'x-forwarded-for': address },
  });
  expect([status, body.email]).toEqual([201, email]);
  return { email, password, id: body.id as string, credits: body.credits as number };
}

async function availableTo(person: { email: string; password: string; id: string }, at = service) {
  const { accessToken } = await signIn(at, person);
  return (await at.send('GET', '/api/v1/credits/balance', { token: accessToken })).body.available as number;
}

async function confirm(email: string, at: TestService = service): Promise<void> {
  const links = (await at.mails(email)).flatMap((mail) => mail.links);
  const link = links.find((candidate) => candidate.includes('/verify-email'));
  const token = new URL(link ?? '').searchParams.get('token');
  const answer = await at.send('POST', '/api/v1/auth/verify-email', { body: { token } });
  expect(answer.status).toBe(200);
  await at.ctx.jobs.runDue();
}

async function expectSoundLedger(at: TestService = service): Promise<void> {
  expect((await verifyLedger(at.ctx.db)).findings).toEqual([]);
}

const unique = () => randomUUID().slice(0, 12).replaceAll('-', '');

describe('a mailbox gets one bonus', () => {
  test('of fifty sign-ups at once with variants of one address, one has it', async () => {
    const name = unique();
    const variants = Array.from({ length: 50 }, (_, number) => `${name}+${number}@example.com`);
    const people = await Promise.all(variants.map((email) => register(email)));
    expect(people.map(({ credits }) => credits).sort((one, other) => other - one)).toEqual([
      150,
      ...Array<number>(49).fill(0),
    ]);
    const { rows } = await owner.query(
      `select count(*)::int as lots, sum(l.amount)::int as amount from credits.lots l
        where l.source = 'signup' and l.wallet_id = any ($1)`,
      [people.map(({ id }) => id)],
    );
    expect(rows).toEqual([{ lots: 1, amount: 150 }]);
    await expectSoundLedger();
  });

  test.each([
    ['dots at a provider that ignores them', 'j.o.h.a.n', 'johan', 'gmail.com'],
    ['the other name of a domain', 'k.erstin', 'kerstin@googlemail.com', 'gmail.com'],
    ['capital letters and a tag', 'MARIA+news', 'maria', 'example.org'],
  ])('%s', async (_, first, second, domain) => {
    const suffix = unique();
    const spell = (text: string) =>
      text.includes('@') ? text.replace('@', `${suffix}@`) : `${text.replace(/(?=\+)|$/, suffix)}@${domain}`;
    expect((await register(spell(first).toLowerCase())).credits).toBe(150);
    const again = await register(spell(second));
    expect(again.credits).toBe(0);
    expect(await availableTo(again)).toBe(0);
  });

  test('an account that was erased and made again has none', async () => {
    const email = `${unique()}@example.com`;
    const first = await register(email);
    expect(first.credits).toBe(150);
    await owner.query('delete from auth.users where id = $1', [first.id]);
    const second = await register(email);
    expect(second.credits).toBe(0);
    await confirm(email);
    expect(await availableTo(second)).toBe(0);
    await expectSoundLedger();
  });

  test('other people’s addresses are not touched: dots count elsewhere, and so do other domains', async () => {
    const name = unique();
    const addresses = [
      `${name}@example.com`,
      `${name}.x@example.com`,
      `${name}x@example.com`,
      `${name}@example.org`,
    ];
    for (const email of addresses) expect((await register(email)).credits).toBe(150);
  });

  test('a registration that is refused uses no bonus up', async () => {
    const [name, username] = [unique(), `u${unique()}`];
    await service.send('POST', '/api/v1/auth/register', {
      body: { email: `${unique()}@example.com`, password, username },
    });
    const taken = { email: `${name}+1@example.com`, password, username };
    expect((await service.send('POST', '/api/v1/auth/register', { body: taken })).status).toBe(409);
    expect((await register(`${name}@example.com`)).credits).toBe(150);
  });

  test('what is kept of a mailbox is a digest that nobody can make without the secret', async () => {
    const email = `${unique()}@example.com`;
    await register(email);
    const { rows } = await owner.query(
      `select from credits.bonus_mailboxes
        where mailbox_hash = sha256(convert_to($1, 'UTF8')) or encode(mailbox_hash, 'escape') like '%' || $1 || '%'`,
      [email],
    );
    expect(rows).toEqual([]);
  });
});

describe('many sign-ups from one address', () => {
  test('get no more bonuses than allowed, also at once; the others wait for the address to be confirmed', async () => {
    const tight = await startTestService({ env: { ...env, SIGNUP_BONUS_PER_ADDRESS: '3' } });
    const address = '203.0.113.9';
    // All are under way before the first bonus is written down.
    const tightOwner = await connectAsOwner(tight);
    await tightOwner.query('begin; lock table credits.bonus_mailboxes in share mode');
    const registering = Array.from({ length: 12 }, () => register(`${unique()}@example.com`, address, tight));
    await untilSoManyWait(tightOwner, 4);
    await tightOwner.query('commit');
    const people = await Promise.all(registering);
    expect(people.filter(({ credits }) => credits === 150)).toHaveLength(3);
    const waiting = people.find(({ credits }) => credits === 0)!;
    expect(await availableTo(waiting, tight)).toBe(0);
    await confirm(waiting.email, tight);
    await tight.ctx.jobs.runDue();
    expect(await availableTo(waiting, tight)).toBe(150);
    expect((await register(`${unique()}@example.com`, '203.0.113.10', tight)).credits).toBe(150);
    tight.clock.advance({ hours: 25 });
    expect((await register(`${unique()}@example.com`, address, tight)).credits).toBe(150);
    await expectSoundLedger(tight);
  });

  test('an IPv6 /64 is one address; a proxy on this machine that nobody named is none', async () => {
    const tight = await startTestService({ env: { ...env, SIGNUP_BONUS_PER_ADDRESS: '1' } });
    const bonusFrom = async (address: string) =>
      (await register(`${unique()}@example.com`, address, tight)).credits;
    expect(await bonusFrom('2001:db8:1:2::1')).toBe(150);
    expect(await bonusFrom('2001:db8:1:2:ffff::9')).toBe(0);
    expect(await bonusFrom('2001:db8:1:3::1')).toBe(150);
    const untrusting = await startTestService({ env: { SIGNUP_BONUS_PER_ADDRESS: '1' } });
    for (const address of ['192.0.2.1', '192.0.2.1']) {
      expect((await register(`${unique()}@example.com`, address, untrusting)).credits).toBe(150);
    }
  });

  test('with 0 every bonus waits, and answers do not tell whose mailbox has had one', async () => {
    const strict = await startTestService({ env: { ...env, SIGNUP_BONUS_PER_ADDRESS: '0' } });
    const name = unique();
    const [one, other] = [
      await register(`${name}@example.com`, freshAddress(), strict),
      await register(`${name}+2@example.com`, freshAddress(), strict),
    ];
    expect([one.credits, other.credits]).toEqual([0, 0]);
    for (const { email } of [other, one]) await confirm(email, strict);
    expect([await availableTo(other, strict), await availableTo(one, strict)]).toEqual([150, 0]);
    await expectSoundLedger(strict);
  });

  test('a bonus that waits follows the address that is confirmed, and is paid once', async () => {
    const strict = await startTestService({ env: { ...env, SIGNUP_BONUS_PER_ADDRESS: '0' } });
    const strictOwner = await connectAsOwner(strict);
    const mailbox = `${unique()}@gmail.com`;
    const farm = await Promise.all(
      Array.from({ length: 5 }, () => register(`${unique()}@nowhere.example`, freshAddress(), strict)),
    );
    // What a change of the address does, once its link was opened.
    for (const [number, { id }] of farm.entries()) {
      const email = mailbox.replace('@', `+${number}@`);
      const verified = 'update auth.users set email = $2, email_verified_at = $3 where id = $1';
      await strictOwner.query(verified, [id, email, strict.clock.now()]);
      await strictOwner.query(verified, [id, email, new Date(strict.clock.now().getTime() + 1000)]);
    }
    await strict.ctx.jobs.runDue();
    const { rows } = await strictOwner.query(
      `select b.free::int as free from credits.balances b where b.wallet_id = any ($1) order by b.free desc`,
      [farm.map(({ id }) => id)],
    );
    expect(rows.map(({ free }) => free)).toEqual([150, 0, 0, 0, 0]);
    await expectSoundLedger(strict);
  });

  test('who was paid and moves to another mailbox is not paid again', async () => {
    const strict = await startTestService({ env: { ...env, SIGNUP_BONUS_PER_ADDRESS: '0' } });
    const strictOwner = await connectAsOwner(strict);
    const person = await register(`${unique()}@example.com`, freshAddress(), strict);
    await confirm(person.email, strict);
    const moved = { ...person, email: `${unique()}@example.org` };
    const later = new Date(strict.clock.now().getTime() + 1000);
    await strictOwner.query('update auth.users set email = $2, email_verified_at = $3 where id = $1', [
      person.id,
      moved.email,
      later,
    ]);
    await strict.ctx.jobs.runDue();
    expect(await availableTo(moved, strict)).toBe(150);
    await expectSoundLedger(strict);
  });
});

test('spellings of one mailbox have one canonical form, others keep their own', () => {
  const forms: [string, string][] = [
    ['a.b.c+tag@gmail.com', 'abc@gmail.com'],
    ['A.B.C@GoogleMail.com', 'abc@gmail.com'],
    ['a.b@example.com', 'a.b@example.com'],
    ['ada+shop+x@example.com', 'ada@example.com'],
    ['+ada@example.com', '+ada@example.com'],
    ['ada-shop@yahoo.com', 'ada@yahoo.com'],
    ['ada-shop@example.com', 'ada-shop@example.com'],
    ['a_d-a.x@pm.me', 'adax@proton.me'],
    ['ada@me.com', 'ada@icloud.com'],
    ['ada@müller.example', 'ada@xn--mller-kva.example'],
    ['...@gmail.com', '...@gmail.com'],
    ['ａｄａ@example.com', 'ada@example.com'],
  ];
  for (const [given, expected] of forms) expect(canonicalMailbox(given), given).toBe(expected);
});
