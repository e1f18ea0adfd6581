import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator } from '../../../../test/harness/movements.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
const list = (query: string) => service.send('GET', `/api/v1/users?${query}`, { token: admin.token });

const peopleCount = 230;
await addPeople(1, peopleCount, `'2025-01-01'::timestamptz + n / 3 * interval '1 minute'`);

/** Three at a time register at the same instant, so that the order of a page is not the time's alone. */
async function addPeople(from: number, to: number, at: string): Promise<void> {
  await owner.query(
    `insert into auth.users (id, email, name, username, role, is_active, created_at, updated_at)
     select gen_random_uuid(), format('person-%s@%s', n, case when n % 10 = 0 then 'acme.example' else 'example.com' end),
            format('Person%s Lovelace%s', n, n % 7), case when n % 2 = 0 then format('User_%s%%', n) end, 'user',
            n % 5 <> 0, at.at, at.at
       from generate_series($1::integer, $2) n, lateral (select ${at} as at) at`,
    [from, to],
  );
}

type Person = { id: string; email: string; createdAt: string; isActive: boolean };

/** All pages from one on, as a client would follow them; `between` happens after each. */
async function follow(query: string, between: () => Promise<void> = async () => {}): Promise<Person[]> {
  const found: Person[] = [];
  for (let path: string | undefined = `/api/v1/users?${query}`; path !== undefined;) {
    const { status, body, headers } = await service.send('GET', path, { token: admin.token });
    expect(status).toBe(200);
    found.push(...body);
    path = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
    await between();
  }
  return found;
}

const emailsOf = (people: Person[]) => people.map(({ email }) => email).toSorted();

test('pages are complete, in order and without anybody twice', async () => {
  for (const limit of [1, 7, 50, 200]) {
    const people = await follow(`limit=${limit}&createdTo=2026-01-01`);
    expect(new Set(people.map(({ id }) => id)).size).toBe(peopleCount);
    expect(people).toHaveLength(peopleCount);
    const times = people.map(({ createdAt }) => createdAt);
    expect(times).toEqual(times.toSorted().toReversed());
  }
});

test('people who register meanwhile move nothing', async () => {
  let next = 1000;
  const before = emailsOf(await follow('limit=200&createdTo=2026-01-01'));
  const people = await follow('limit=20', async () => {
    await addPeople(next, next + 2, `'2026-02-01'::timestamptz`);
    next += 3;
  });
  const seen = emailsOf(people).filter((email) => before.includes(email));
  expect(seen).toEqual(before);
  await owner.query(`delete from auth.users where created_at = '2026-02-01'`);
});

test('the total is exact, and offsets count through the same order', async () => {
  const all = await follow('limit=200');
  const { headers, body } = await list('limit=5&offset=228');
  expect(headers.get('x-total-count')).toBe(String(peopleCount + 1));
  expect(headers.get('x-total-count-estimated')).toBeNull();
  expect(body.map(({ id }: Person) => id)).toEqual(all.slice(228).map(({ id }) => id));
  expect(headers.get('link')).toBeNull();
});

test.each([
  ['person-17', ['person-17@example.com', ...range(170, 179)]],
  ['PERSON-17@', ['person-17@example.com']],
  ['person17 ', ['person-17@example.com', ...range(170, 179)]],
  ['person17 l', ['person-17@example.com']],
  ['  User_22', ['person-22@example.com', ...range(220, 229, 2)]],
  ['user_22%', ['person-22@example.com']],
  ['lovelace6', people((n) => n % 7 === 6)],
  ['@acme.ex', people((n) => n % 10 === 0)],
  ['@', [...people(() => true), `${admin.userId}@example.com`]],
  ['nobody', []],
])('a search for "%s" finds the beginnings that are meant', async (search, expected) => {
  const found = await follow(`limit=40&search=${encodeURIComponent(search)}`);
  expect(emailsOf(found)).toEqual(expected.map(withDomain).toSorted());
  const { headers } = await list(`search=${encodeURIComponent(search)}`);
  expect(headers.get('x-total-count')).toBe(String(expected.length));
});

function range(from: number, to: number, step = 1): string[] {
  return Array.from(
    { length: Math.floor((to - from) / step) + 1 },
    (_, index) => `person-${from + index * step}`,
  );
}

function people(isMeant: (n: number) => boolean): string[] {
  return range(1, peopleCount).filter((_, index) => isMeant(index + 1));
}

function withDomain(email: string): string {
  if (email.includes('@')) return email;
  return `${email}@${Number(email.slice(7)) % 10 === 0 ? 'acme.example' : 'example.com'}`;
}

test.each([
  `'; drop table auth.users; --`,
  `' or '1'='1`,
  `%`,
  `_`,
  `\\`,
  `a\\' or true --`,
  `$1`,
  `%s%1$L`,
  `(select 1)`,
  '\u{10FFFF}',
  'İ',
  '"',
  `')) union select id from auth.users --`,
  '*:&|!',
  '[[:alpha:]]',
])('a search for %j is a text like any other', async (search) => {
  const { status, body } = await list(`search=${encodeURIComponent(search)}`);
  expect([status, body]).toEqual([200, []]);
});

test('filters leave what they say, alone, together and with a search', async () => {
  const emails = async (query: string) => emailsOf(await follow(`limit=30&${query}`));
  const inactive = people((n) => n % 5 === 0).map(withDomain);
  expect(await emails('isActive=false')).toEqual(inactive.toSorted());
  expect(await emails('role=admin')).toEqual([`${admin.userId}@example.com`]);
  expect(await emails('role=admin&isActive=false')).toEqual([]);
  expect(await emails('isActive=false&search=person-1')).toEqual(
    inactive.filter((email) => email.startsWith('person-1')).toSorted(),
  );
  expect(await emails('createdFrom=2025-01-01T00:01:00Z&createdTo=2025-01-01T00:02:00Z')).toEqual(
    range(3, 5).map(withDomain),
  );
  expect(await emails('createdFrom=2030-01-01')).toEqual([]);
  expect((await follow('search=%20%20&limit=200')).length).toBe(peopleCount + 1);
});

test('bans are a filter of their own', async () => {
  const banned = ['person-3@example.com', 'person-7@example.com', 'person-20@acme.example'];
  const now = service.clock.now();
  const set = 'update auth.users set banned_at = $2, ban_reason = $3 where email = any ($1)';
  await owner.query(set, [banned, now, 'Spam']);
  expect(emailsOf(await follow('limit=2&banned=true'))).toEqual(banned.toSorted());
  expect(emailsOf(await follow('banned=true&search=@acme.example'))).toEqual(['person-20@acme.example']);
  expect(await follow('limit=200&banned=false')).toHaveLength(peopleCount + 1 - banned.length);
  await owner.query(set, [banned, null, null]);
});

test('whoever is erased is in no list, no search, no total and no export', async () => {
  await owner.query(
    `insert into auth.users (id, email, is_active, erased_at, created_at, updated_at)
     select g.id, g.id || '@erased.invalid', false, now(), '2025-06-01', now()
       from (select gen_random_uuid() as id from generate_series(1, 3)) g`,
  );
  for (const query of [
    '',
    'isActive=false',
    'search=@erased.invalid',
    'createdFrom=2025-06-01&createdTo=2025-06-02',
  ]) {
    const found = await follow(`limit=200&${query}`);
    expect(found.filter(({ email }) => email.endsWith('@erased.invalid'))).toEqual([]);
    const { headers } = await list(query);
    expect(headers.get('x-total-count')).toBe(String(found.length));
  }
  expect(await (await exportPeople('')).text()).not.toContain('@erased.invalid');
  await owner.query('delete from auth.users where erased_at is not null');
});

test.each([
  'limit=0',
  'limit=201',
  'limit=ten',
  'offset=-1',
  'offset=1000001',
  'offset=1e99',
  'role=owner',
  'isActive=perhaps',
  'createdFrom=yesterday',
  'createdTo=2026-99-99',
  'cursor=x',
  'cursor=',
  `cursor=${Buffer.from('["2026-01-01T00:00:00.000Z"]').toString('base64url')}`,
  `cursor=${Buffer.from(`["2026-01-01T00:00:00.000Z","' or true --"]`).toString('base64url')}`,
  `cursor=${Buffer.from('["now","019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11"]').toString('base64url')}`,
  `cursor=${Buffer.from('{"0":1}').toString('base64url')}`,
  `search=${'x'.repeat(255)}`,
])('%s is malformed', async (query) => {
  const { status, body } = await list(query);
  expect([status, body.code]).toEqual([400, 'request.invalid']);
});

test('an impossible time in a cursor is refused, and a huge offset leads to an empty page', async () => {
  const parts = JSON.stringify(['2026-02-31T25:61:61.000Z', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11']);
  expect((await list(`cursor=${Buffer.from(parts).toString('base64url')}`)).body.code).toBe(
    'request.invalid',
  );
  const far = await list('offset=1000000');
  expect([far.status, far.body, far.headers.get('link')]).toEqual([200, [], null]);
});

test('a search that finds more than an index should gather is answered in the same order', async () => {
  const gathered = await follow('search=person&limit=30');
  await owner.query(`create or replace function auth.search_matches_max() returns integer
    language sql immutable set search_path = pg_catalog as $$ select 3 $$`);
  expect(await follow('search=person&limit=30')).toEqual(gathered);
  expect(emailsOf(await follow('search=@acme.example&limit=9'))).toEqual(
    people((n) => n % 10 === 0)
      .map(withDomain)
      .toSorted(),
  );
  expect(await follow('search=lovelace6&limit=5&isActive=false')).toHaveLength(
    people((n) => n % 7 === 6 && n % 5 === 0).length,
  );
});

test('beyond ten thousand the total is an estimate and says so', async () => {
  await addPeople(10_001, 21_000, `'2024-01-01'::timestamptz + n * interval '1 second'`);
  await owner.query('analyze auth.users');
  const { headers } = await list('limit=1');
  expect(Number(headers.get('x-total-count'))).toBeGreaterThan(10_000);
  expect(headers.get('x-total-count-estimated')).toBe('true');
  expect(Math.abs(Number(headers.get('x-total-count')) - 11_231)).toBeLessThan(1000);
});

const exportPeople = (query: string) =>
  fetch(`${service.url}/api/v1/users/export?${query}`, {
    headers: { authorization: `Bearer ${admin.token}` },
  });

test('the export streams everybody that the filter shows, as lines and as CSV without formulas', async () => {
  await owner.query(`update auth.users set name = '=1+1' where email = 'person-1@example.com'`);
  const lines = await exportPeople('createdTo=2024-12-31');
  expect(lines.headers.get('content-type')).toContain('application/x-ndjson');
  const rows = (await lines.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Person);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(11_000);
  const csv = await exportPeople('format=csv&search=person-1@');
  expect(csv.headers.get('content-disposition')).toBe('attachment; filename="users.csv"');
  const [head, row] = (await csv.text()).split('\r\n');
  expect(head).toMatch(/^id,email,emailVerified,name/);
  expect(row).toContain(`"'=1+1"`);
  expect((await exportPeople('format=xml')).status).toBe(400);
  const { rows: trail } = await owner.query(
    `select details from audit.events where action = 'users.exported'`,
  );
  expect(JSON.stringify(trail)).not.toContain('person-1');
  expect(trail).toHaveLength(3);
});
