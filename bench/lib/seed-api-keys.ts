import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { digestApiKey, hintsOf, newApiKey } from '../../server/src/lib/api-key.ts';
import type { Person } from './seed.ts';

export type SeededKeys = {
  /** A key of each person, with a budget. */
  keys: string[];
  /** The key by which an application asks about them. */
  applicationKey: string;
};

const newKey = () => newApiKey({ bytes: randomBytes });

/** Gives each person an API key with a budget, and makes an application with a key that verifies keys. */
export async function seedApiKeys(ownerUrl: string, people: Person[]): Promise<SeededKeys> {
  const keys = people.map(newKey);
  const applicationKey = newKey();
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string }>(
      `insert into apps.applications (id, client_id, name, redirect_uris, roles, default_role, created_at, updated_at)
       values (gen_random_uuid(), gen_random_uuid()::text, 'Gateway', '{}', '{user}', 'user', now(), now())
       returning id`,
    );
    const owners = [...people.map(({ userId }) => [userId, null]), [null, rows[0]?.id]];
    const all = [...keys, applicationKey];
    await client.query(
      `with given as (
         select gen_random_uuid() as key_id, * from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::text[], $5::text[])
           as g (user_id, application_id, digest, start, last_four)
       ), made as (
         insert into auth.api_keys (id, user_id, application_id, name, scopes, created_at, updated_at)
         select key_id, user_id, application_id, 'Benchmark', case when user_id is null
                then array['api-keys:verify'] else array['profile', 'credits:read', 'credits:spend'] end, now(), now()
           from given
         returning id
       ), budgets as (
         insert into credits.mandates (id, wallet_id, key_id, allowance, period, kinds, overrun, overrun_max, spent,
             period_started_at, status, created_at, updated_at)
         select gen_random_uuid(), user_id, key_id, 1000000, 'month', '{free,paid}', 'refuse', 0, 0,
                credits.period_start('month', now(), now()), 'active', now(), now()
           from given where user_id is not null
       )
       insert into auth.api_key_secrets (id, key_id, digest, start, last_four, created_at)
       select gen_random_uuid(), g.key_id, g.digest, g.start, g.last_four, now()
         from given g join made on made.id = g.key_id`,
      [
        owners.map(([userId]) => userId),
        owners.map(([, applicationId]) => applicationId),
        all.map(digestApiKey),
        all.map((key) => hintsOf(key).start),
        all.map((key) => hintsOf(key).lastFour),
      ],
    );
    await client.query('vacuum analyze auth.api_keys, auth.api_key_secrets, credits.mandates');
    return { keys, applicationKey };
  } finally {
    await client.end();
  }
}
