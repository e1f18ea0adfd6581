import { expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import { startTestProvider } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestProvider();
const owner = await connectAsOwner(service);
const { accessToken: adminToken } = await signIn(service, await registerPerson(service));
const app = await registerApplication(service, adminToken, { access: 'open' });
const { tokens } = await new OauthCalls(service, app).obtainTokens({ scope: 'openid', prompt: 'consent' });
const { sid } = JSON.parse(Buffer.from(tokens.access_token.split('.')[1], 'base64url').toString());
const hash = Buffer.from('a hash that is nobody’s');
const now = service.clock.now();
await owner.query(
  `insert into oauth.browser_states (session_uid, cookie_hash, expires_at) values ('somebody', $1, 'infinity')`,
  [Buffer.from('a browser that is not signed in')],
);
type Known = { code: Buffer; token: Buffer; cookie: Buffer; state: Buffer };
const { rows: knownRows } = await owner.query<Known>(
  `select (select code_hash from oauth.authorization_codes) as code,
          (select token_hash from oauth.refresh_tokens) as token,
          (select s.cookie_hash from auth.sessions s join oauth.authorizations a on a.session_id = s.id) as cookie,
          (select cookie_hash from oauth.browser_states) as state`,
);
const [known] = knownRows as [Known];

/** Copies of the rows of a table that belong to the authorization, so many. */
async function multiply(table: string, changed: Record<string, string>): Promise<void> {
  const { rows } = await owner.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [`oauth.${table}`],
  );
  const names = rows.map(({ name }) => name);
  const { rowCount } = await owner.query(
    `insert into oauth.${table} (${names.join(', ')})
       select ${names.map((name) => changed[name] ?? `t.${name}`).join(', ')}
         from (select * from oauth.${table} limit 1) t cross join generate_series(1, 1000) as n`,
  );
  expect(rowCount, table).toBe(1000);
}

/** What the provider asks for requests of each kind, known and not, and writes for one that is not. */
async function run(): Promise<void> {
  await owner.query('select oauth.open_requests($1, $2, $3, $4, $5, $6, $7)', [
    [app.clientId],
    [null],
    [hash, known.cookie, known.state],
    [app.clientId, app.clientId, app.clientId],
    [hash, known.code],
    [hash, known.token],
    now,
  ]);
  const hashes = [hash];
  await owner.query(
    `select oauth.finish_requests($1, $2, $3, $4, $5, null, null, null, null, null, $1, null, null, $6, $7)`,
    [[sid], [], hashes, hashes, hashes, now, now],
  );
}

/** How many entries of indexes, and rows found without one, this connection has read. */
async function countRead(): Promise<number> {
  const { rows } = await owner.query<{ read: number }>(
    `select sum(pg_stat_get_xact_tuples_returned(c.oid))::int as read
       from pg_class c join pg_namespace s on s.oid = c.relnamespace
      where s.nspname in ('oauth', 'apps', 'auth') and c.relkind in ('r', 'i')`,
  );
  return rows[0]?.read ?? 0;
}

/** How many of them a run reads. */
async function readByRun(): Promise<number> {
  await owner.query('begin');
  const before = await countRead();
  await run();
  const read = (await countRead()) - before;
  await owner.query('rollback');
  return read;
}

test('plans made while there was next to nothing read no more when there is much', async () => {
  const before = await readByRun();
  const digest = `sha256(uuid_send(gen_random_uuid()))`;
  await multiply('authorization_codes', { code_hash: digest });
  await multiply('refresh_tokens', { token_hash: digest, previous_hash: 'null' });
  await multiply('authorizations', { id: 'gen_random_uuid()', session_id: 'null' });
  await multiply('browser_states', { session_uid: 'gen_random_uuid()::text', cookie_hash: digest });
  expect(await readByRun()).toBeLessThan(before + 20);
});
