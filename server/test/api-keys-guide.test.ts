import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { registerApplication } from './harness/applications.ts';
import { runCurl } from './harness/curl.ts';
import { startTestService } from './harness/index.ts';
import { registerPerson, signIn } from './harness/people.ts';

// The commands of the guide, run as they stand.

const guide = await readFile(join(import.meta.dirname, '../../docs/guides/api-keys.md'), 'utf8');
const blocks = [...guide.matchAll(/```bash\n([\s\S]*?)\n```/g)].map((match) => match[1] ?? '');
const commands = blocks.join('\n').split('\n');

test('a key is made, used, verified, charged, rotated and revoked the way the guide says', async () => {
  const service = await startTestService();
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const app = await registerApplication(service, accessToken);
  const values: Record<string, string> = {
    ACCESS_TOKEN: accessToken,
    APPLICATION_ID: app.id,
    CLIENT_ID: app.clientId,
    CLIENT_SECRET: app.clientSecret,
  };
  const answers = [];
  for (const command of commands) {
    const filled = command.replaceAll(/\$([A-Z_]+)/g, (_match, name: string) => values[name] ?? '');
    const answer = await runCurl(service.url, filled);
    if (answers.length === 0) Object.assign(values, { API_KEY: answer.body.key, KEY_ID: answer.body.id });
    answers.push(answer);
  }
  const [made, balance, used, byApplication, byHolder, charged, gateway, rotated, changed, list, gone] =
    answers;
  expect(made).toMatchObject({ status: 201, body: { budget: { allowance: 40, maxPerSpend: 10 } } });
  expect(balance).toMatchObject({ status: 200, body: { available: 150 } });
  expect(used).toMatchObject({ status: 200, body: { newBalance: { available: 148 } } });
  for (const answer of [byApplication, byHolder]) {
    expect(answer).toMatchObject({
      status: 200,
      body: { valid: true, code: 'valid', userId: person.id, rateLimit: { limit: 600 }, budget: { used: 2 } },
    });
  }
  expect(charged).toMatchObject({
    status: 200,
    body: { valid: true, charge: { amount: 3, available: 145, replayed: false }, budget: { used: 5 } },
  });
  expect(gateway).toMatchObject({ status: 201, body: { scopes: ['api-keys:verify'] } });
  expect(rotated).toMatchObject({ status: 200, body: { key: expect.stringMatching(/^obol_sk_/) } });
  expect(changed).toMatchObject({
    status: 200,
    body: { name: 'Hourly import', budget: { allowance: 80, used: 5 } },
  });
  expect(list).toMatchObject({ status: 200, body: { apiKeys: [{ id: values.KEY_ID }] } });
  expect(gone).toMatchObject({ status: 200, body: { success: true } });
  expect(answers).toHaveLength(11);
});
