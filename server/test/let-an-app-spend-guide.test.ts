import { expect, test } from 'vitest';
import { readGuide } from './harness/guide.ts';
import { readOwn } from './harness/movements.ts';
import { expectCallback, expectPage, findFreePort, startTestProvider, TestBrowser } from './harness/oauth.ts';
import { registerOwnApplication } from './harness/openid.ts';
import { registerPerson, signIn } from './harness/people.ts';

// The code of the guide, run as it stands. Its program goes by the clock of the machine, so the service
// starts there.

const guide = await readGuide('let-an-app-spend.md');
const service = await startTestProvider({ startAt: new Date().toISOString() });

test('a budget is asked for, lowered, spent, raised through the link, and taken back', async () => {
  const BASE_URL = `http://localhost:${await findFreePort()}`;
  const app = await registerOwnApplication(service, { redirectUri: `${BASE_URL}/callback` });
  const [source = ''] = guide.blocks('js');
  const env = { ISSUER: service.issuer, CLIENT_ID: app.clientId, CLIENT_SECRET: app.clientSecret, BASE_URL };
  await guide.run(source, env);
  const [documented = ''] = guide.blocks('json');

  let cookie = '';
  const send = async (method: string, path: string) => {
    const url = new URL(path, BASE_URL);
    const response = await fetch(url, { method, redirect: 'manual', headers: { cookie } });
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    return response;
  };
  const draw = async (id: string): Promise<{ status: number; body: any }> => {
    const response = await send('POST', `/pictures/${id}`);
    return { status: response.status, body: await response.json() };
  };
  const person = await registerPerson(service);
  const browser = new TestBrowser(service);
  const away = (await send('GET', '/connect')).headers.get('location') ?? '';
  const asked = JSON.parse(new URL(away).searchParams.get('authorization_details') ?? '[]');
  expect(JSON.parse(documented)).toMatchObject(asked);
  const page = expectPage(await browser.open(away), 'sign-in');
  const credentials = { email: person.email, password: person.password };
  const consent = expectPage(await browser.submit(page, credentials), 'consent');
  const back = expectCallback(await browser.submit(consent, { decision: 'allow', allowance: '30' }));
  const granted = await (await send('GET', back.href)).json();
  expect(granted).toEqual({ allowance: 30, period: 'month', maxPerSpend: 20 });

  expect(await draw('cat')).toEqual({ status: 200, body: { picture: 'cat', left: 130 } });
  expect(await draw('cat')).toEqual({ status: 200, body: { picture: 'cat', left: 130 } });
  const refused = await draw('dog');
  expect(refused).toMatchObject({ status: 402, body: { error: 'mandate.exceeded' } });
  const raise = expectPage(await browser.open(refused.body.link), 'budget');
  await browser.submit(raise, { decision: 'save', allowance: '60', maxPerSpend: '20' });
  expect((await draw('dog')).status).toBe(200);

  const { accessToken: token } = await signIn(service, person);
  const { body } = await service.send('GET', '/api/v1/users/me/grants', { token });
  await service.send('DELETE', `/api/v1/users/me/grants/${body.grants[0].id}`, { token });
  expect((await draw('bird')).status).toBe(401);
  const holder = { userId: person.id, sessionId: '', token };
  expect(await readOwn(service, holder, 'balance')).toMatchObject({ totalSpent: 40 });
});
