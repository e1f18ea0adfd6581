import { randomBytes, randomUUID, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose';
import pg from 'pg';
import { firstPartyClientId, firstPartyScope } from '../../server/src/lib/first-party.ts';
import { hashPassword } from '../../server/src/lib/password-hash.ts';

/** Who is signed in. */
export type Person = { userId: string; sessionId: string; email: string };

/** People of the benchmark: the first of the wallets are signed in, and can sign in with one password. */
export type Seeded = { people: Person[]; tokens: string[]; emails: string[]; password: string };

const signedInMax = 1000;
const password = 'a password for benchmarks';
const fundsPerWallet = 1_000_000_000_000;

type SeedOptions = { ownerUrl: string; wallets: number; issuer: string; privateKey: KeyObject };

/** Fills the ledger of a database with wallets that never run dry, and signs the first people in. */
export async function seedLedger(ownerUrl: string, wallets: number): Promise<Person[]> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query(
      `insert into auth.users (id, email, email_verified_at, created_at, updated_at)
       select gen_random_uuid(), 'user' || i || '@example.com', now(), now(), now() from generate_series(1, $1) i`,
      [wallets],
    );
    await client.query('select credits.open_wallet(id, $1, now()) from auth.users', [fundsPerWallet]);
    const people = await signIn(client);
    await client.query('vacuum analyze');
    return people;
  } finally {
    await client.end();
  }
}

/** The same, with a token of the service for everybody who is signed in. */
export async function seed(options: SeedOptions): Promise<Seeded> {
  const people = await seedLedger(options.ownerUrl, options.wallets);
  const tokens = await Promise.all(people.map((person) => signToken(options, person)));
  return { people, tokens, emails: people.map(({ email }) => email), password };
}

async function signIn(client: pg.Client): Promise<Person[]> {
  await client.query(
    `insert into auth.passwords (user_id, hash, created_at, updated_at)
     select id, $1, now(), now() from auth.users order by id limit $2`,
    [await hashPassword(password, { bytes: randomBytes }), signedInMax],
  );
  const { rows } = await client.query<Person>(
    `with made as (
       insert into auth.sessions (id, user_id, created_at, last_used_at, expires_at)
       select gen_random_uuid(), user_id, now(), now(), now() + interval '1 day' from auth.passwords
       returning id, user_id)
     select made.user_id as "userId", made.id as "sessionId", u.email from made join auth.users u on u.id = made.user_id`,
  );
  return rows;
}

async function signToken(
  { issuer, privateKey }: SeedOptions,
  { userId, sessionId, email }: Person,
): Promise<string> {
  const { kty = 'RSA', n = '', e = '' } = await exportJWK(privateKey);
  return new SignJWT({
    sid: sessionId,
    email,
    role: 'user',
    client_id: firstPartyClientId,
    scope: firstPartyScope,
  })
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: await calculateJwkThumbprint({ kty, n, e }) })
    .setIssuer(issuer)
    .setAudience(issuer)
    .setSubject(userId)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('6h')
    .sign(privateKey);
}
