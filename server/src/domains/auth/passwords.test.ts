import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { logIn, registerPerson } from '../../../test/harness/people.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';
import { loadConfig } from '../../config.ts';
import { createPasswordHasher } from './index.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);

/** bcrypt at cost 4, without its version: of `imported pass`, and of `short`. */
const importedHash = '04$2zuY5djA2mkXX2V1lhApO.WnrghIuap66BAJhBDa2vA/BkMM3OhSW';
const shortHash = '04$3qdTet4tmA7WsNe3YvpMIezw7a7eInMTZYVkP4TpjoCKeMbKYgtSu';

async function storedHash(userId: string): Promise<string> {
  const { rows } = await owner.query('select hash from auth.passwords where user_id = $1', [userId]);
  return rows[0].hash;
}

/** A person whose hash came from another system. */
async function importPerson(hash: string, password: string) {
  const person = { ...(await registerPerson(service)), password };
  await owner.query('update auth.passwords set hash = $1 where user_id = $2', [hash, person.id]);
  return person;
}

test('a password is stored as argon2id with 19 MiB, two passes, one lane and a salt of its own', async () => {
  const [one, other] = [await registerPerson(service), await registerPerson(service)];
  const [first, second] = [await storedHash(one.id), await storedHash(other.id)];
  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$/);
  expect(first).not.toBe(second);
});

test.each(['2a', '2b', '2y'])(
  'an imported bcrypt hash ($%s$) signs in once and is argon2id then',
  async (version) => {
    const hash = `$${version}$${importedHash}`;
    const person = await importPerson(hash, 'imported pass');
    expect((await logIn(service, person, 'wrong pass')).status).toBe(401);
    expect(await storedHash(person.id)).toBe(hash);
    const { status, body } = await logIn(service, person);
    expect(status).toBe(200);
    expect(await storedHash(person.id)).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect((await logIn(service, person)).status).toBe(200);
    const trail = await service.send('GET', '/api/v1/auth/security-events', { token: body.accessToken });
    expect(trail.body.events.map(({ type }: { type: string }) => type)).toContain('password.upgraded');
  },
);

test('an imported password below the length of today still signs in', async () => {
  const person = await importPerson(`$2b$${shortHash}`, 'short');
  expect((await logIn(service, person)).status).toBe(200);
});

test('a hash that no algorithm of ours made lets nobody in and breaks nothing', async () => {
  const person = await importPerson('{SHA}nonsense', 'whatever');
  expect((await logIn(service, person)).body.code).toBe('auth.invalid_credentials');
});

test('hashes wait in a bounded queue; beyond it the service says that it is busy', async () => {
  const config = loadConfig({ PASSWORD_HASH_CONCURRENCY: '1' });
  const hasher = createPasswordHasher({ config, random: { bytes: randomBytes } });
  const results = await Promise.allSettled(
    Array.from({ length: 60 }, () => hasher.verify('password', undefined)),
  );
  const failures = results.filter((result) => result.status === 'rejected');
  expect(failures).toHaveLength(9);
  for (const { reason } of failures) {
    expect(reason).toMatchObject({ code: 'server.busy', options: { headers: { 'retry-after': '1' } } });
  }
  expect(await hasher.verify('password', undefined)).toBe(false);
});
