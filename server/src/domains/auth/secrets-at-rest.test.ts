import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { registerPerson } from '../../../test/harness/people.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);

/** Every row of every table, as text; raw bytes also decoded. */
async function dump(): Promise<string> {
  const { rows: tables } = await owner.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await owner.query<{ text: string }>(
      `select row_to_json(t)::text as text from ${name} t`,
    );
    for (const { text } of rows) {
      texts.push(text);
      for (const [, hex = ''] of text.matchAll(/"\\\\x([0-9a-f]+)"/g)) {
        texts.push(Buffer.from(hex, 'hex').toString('latin1'));
      }
    }
  }
  return texts.join('\n');
}

test('no password, token or cookie stands in the database', async () => {
  const person = await registerPerson(service, { password: 'a password to be looked for' });
  const login = await service.send('POST', '/api/v1/auth/login', { body: person });
  const cookie = login.headers.get('set-cookie')!.split(';')[0]!;
  const shared = await service.send('POST', '/api/v1/auth/session-to-token', {
    body: {},
    headers: { cookie },
  });
  const renewed = await service.send('POST', '/api/v1/auth/refresh', {
    body: { refreshToken: login.body.refreshToken },
  });
  await service.send('POST', '/api/v1/auth/login', { body: { ...person, password: 'a wrong guess at it' } });
  const found = await dump();
  expect(found).toContain(person.email);
  const secrets = {
    password: person.password,
    guess: 'a wrong guess at it',
    cookie: cookie.split('=')[1]!,
    ...Object.fromEntries(
      [login, shared, renewed].flatMap(({ body }, index) => [
        [`access token ${index}`, body.accessToken.split('.')[2]],
        [`refresh token ${index}`, body.refreshToken],
      ]),
    ),
  };
  for (const [name, secret] of Object.entries(secrets)) {
    expect(secret.length, name).toBeGreaterThan(10);
    for (const form of [secret, Buffer.from(secret, 'base64url').toString('latin1')]) {
      expect(found.includes(form), name).toBe(false);
    }
  }
});
