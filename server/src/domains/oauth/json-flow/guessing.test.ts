import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { registerApplication, type TestApplication } from '../../../../test/harness/applications.ts';
import { jsonFlowCalls } from '../../../../test/harness/json-flow.ts';
import { startTestProvider } from '../../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../../test/harness/people.ts';

const service = await startTestProvider({
  env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_MAX: '10000', TRUST_PROXY: 'loopback' },
});
let app: TestApplication;
const { asked, authorize, post } = jsonFlowCalls(service, () => app);

beforeAll(async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  app = await registerApplication(service, accessToken, { access: 'open' });
});

const password = 'not the right one';
const from = (address: string) => ({ 'x-forwarded-for': address });

test('an unknown address and a wrong password answer the same', async () => {
  const person = await registerPerson(service);
  const answers = [
    await authorize({ email: `${randomUUID()}@example.com`, password }),
    await authorize({ email: person.email, password }),
  ];
  const [unknown, wrong] = answers.map(({ status, body }) => ({ ...body, requestId: '', status }));
  expect(unknown).toEqual(wrong);
  expect(unknown).toMatchObject({ status: 401, code: 'auth.invalid_credentials' });
});

test('guesses at one account are counted with those at the sign-in, from wherever they come', async () => {
  const person = await registerPerson(service);
  const guess = (number: number) => ({ email: person.email, password: `${password} ${number}` });
  for (let number = 0; number < 5; number++) {
    const headers = from(`198.51.100.${number}`);
    const [json, login] = [
      await post('authorize', { ...guess(number), ...asked() }, headers),
      await service.send('POST', '/api/v1/auth/login', { body: guess(number), headers }),
    ];
    expect([json.status, login.status]).toEqual([401, 401]);
  }
  const refused = await post('authorize', { ...guess(9), ...asked() }, from('198.51.100.99'));
  expect([refused.status, refused.body.code]).toEqual([429, 'request.rate_limited']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('one address has ten guesses a minute, at whatever accounts, and thirty tries with tokens', async () => {
  const statuses = [];
  for (let number = 0; number < 11; number++) {
    const body = { email: `${randomUUID()}@example.com`, password, ...asked() };
    statuses.push((await post('authorize', body, from('203.0.113.7'))).status);
  }
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
  const tries = [];
  for (let number = 0; number < 31; number++) {
    const body = { token: 'not.a.token', ...asked() };
    tries.push((await post('authorize-with-token', body, from('203.0.113.8'))).status);
  }
  expect(tries).toEqual([...Array.from({ length: 30 }, () => 401), 429]);
});
