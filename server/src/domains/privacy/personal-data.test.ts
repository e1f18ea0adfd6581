import { inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { addAdministrator } from '../../../test/harness/movements.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';
import { addWalletHolder, connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const path = '/api/v1/users/me/export';

const camelCase = (name: string) =>
  name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The texts of a zip by the names of its central directory. @see APPNOTE.TXT §4.3.12 */
function unzip(bytes: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  let at = bytes.readUInt32LE(bytes.lastIndexOf('PK\x05\x06') + 16);
  while (bytes.toString('latin1', at, at + 4) === 'PK\x01\x02') {
    const [size, nameLength] = [bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28)];
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    files.set(name, inflateRawSync(bytes.subarray(start, start + size)).toString('utf8'));
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return files;
}

async function newPerson() {
  const person = await registerPerson(service);
  const { accessToken: token } = await signIn(service, person);
  return { ...person, token };
}

test('the export holds every row of the person, also of tables that only their foreign key leads to', async () => {
  const ada = await newPerson();
  const spend = { amount: 7, appId: 'chat', description: 'Chat' };
  const hold = { ...spend, idempotencyKey: 'hold-1' };
  await service.send('POST', '/api/v1/credits/use', { token: ada.token, body: spend });
  await service.send('POST', '/api/v1/credits/holds', { token: ada.token, body: hold });
  const { status, headers, body } = await service.send('GET', path, { token: ada.token });
  expect(status).toBe(200);
  expect(headers.get('content-disposition')).toContain('personal-data.json');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(body.exportedAt).toBe(service.clock.now().toISOString());
  const { sections } = body;
  expect(sections['auth.users']).toMatchObject([{ id: ada.id, email: ada.email }]);
  expect(sections['auth.sessions']).toMatchObject([{ userId: ada.id, userAgent: expect.any(String) }]);
  const types = sections['auth.securityEvents'].map(({ type }: { type: string }) => type);
  expect(types.sort()).toEqual(['account.registered', 'login.succeeded']);
  expect(sections['credits.transactions']).toMatchObject([
    { type: 'bonus', amount: 150, entries: [{ amount: 150 }, { amount: -150 }] },
    { type: 'usage', amount: -7, description: 'Chat' },
    { type: 'hold', amount: -7, description: 'Chat' },
  ]);
  expect(sections['credits.idempotencyKeys']).toMatchObject([
    { key: 'hold-1', details: { amount: 7, description: 'Chat' } },
  ]);
  const { rows } = await owner.query<{ name: string }>(`
    select distinct c.conrelid::regclass::text as name from pg_constraint c
     where c.contype = 'f' and c.confrelid = 'auth.users'::regclass and c.confdeltype = 'c'`);
  expect(Object.keys(sections)).toEqual(expect.arrayContaining(rows.map(({ name }) => camelCase(name))));
});

test('it holds no secret, and nothing of anybody else', async () => {
  const [ada, ben] = [await newPerson(), await newPerson()];
  const { body } = await service.send('GET', path, { token: ada.token });
  const text = JSON.stringify(body);
  expect(body.sections['auth.passwords']).toEqual([
    { userId: ada.id, createdAt: expect.any(String), updatedAt: expect.any(String) },
  ]);
  expect(text).not.toContain('$argon2');
  expect(text).not.toMatch(/"\\\\x[0-9a-f]/);
  for (const word of [ben.id, ben.email]) expect(text).not.toContain(word);
});

test('of the audit trail it holds from where the person did something, not from where others did', async () => {
  const [ada, admin] = [await newPerson(), await addAdministrator(service)];
  await registerApplication(service, ada.token);
  const body = { amount: 5, description: 'Asked by mail' };
  await service.send('POST', `/api/v1/users/${ada.id}/credits`, { token: admin.token, body });
  const { sections } = (await service.send('GET', path, { token: ada.token })).body;
  const [own, others] = ['application.created', 'credits.granted'].map((wanted) =>
    sections['audit.events'].find(({ action }: { action: string }) => action === wanted),
  );
  expect(own).toMatchObject({ actorId: ada.id, ipAddress: '127.0.0.1' });
  expect(others).toMatchObject({ actorId: admin.userId, reason: 'Asked by mail' });
  expect(others).not.toHaveProperty('ipAddress');
});

test('a history of many pages is in it whole and in order', async () => {
  const holder = await addWalletHolder(service);
  await owner.query(
    `insert into auth.security_events (id, user_id, type, created_at)
     select gen_random_uuid(), $1, 'login.failed', $2 from generate_series(1, 1234)`,
    [holder.userId, service.clock.now()],
  );
  const { body } = await service.send('GET', path, { token: holder.token });
  const ids = body.sections['auth.securityEvents'].map(({ id }: { id: string }) => id);
  expect(new Set(ids).size).toBe(1234);
  expect(ids).toEqual(ids.toSorted());
});

test.each([
  ['Accept', path, { accept: 'application/zip' }],
  ['the query', `${path}?format=zip`, {}],
])('%s asks for a zip, which has a file of JSON lines for each table', async (_, address, headers) => {
  const ada = await newPerson();
  const response = await fetch(`${service.url}${address}`, {
    headers: { ...headers, authorization: `Bearer ${ada.token}` },
  });
  expect(response.headers.get('content-type')).toBe('application/zip');
  const files = unzip(Buffer.from(await response.arrayBuffer()));
  const [user] = files.get('auth.users.jsonl')!.trim().split('\n');
  expect(JSON.parse(user!)).toMatchObject({ id: ada.id, email: ada.email });
});

test('a format that does not exist is malformed, and nobody exports without a living session', async () => {
  const ada = await newPerson();
  expect((await service.send('GET', `${path}?format=xml`, { token: ada.token })).body.code).toBe(
    'request.invalid',
  );
  expect((await service.send('GET', path)).body.code).toBe('auth.required');
  await service.send('POST', '/api/v1/auth/logout', { token: ada.token });
  expect((await service.send('GET', path, { token: ada.token })).body.code).toBe('auth.session_ended');
});
