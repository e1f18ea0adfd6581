import { expect, test } from 'vitest';
import {
  basicHeaders,
  registerApplication,
  type TestApplication,
} from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService();
const other = await startTestService({ shareDatabaseWith: service });
const owner = await connectAsOwner(service);
const ada = await addWalletHolder(service);
const base = '/api/v1/applications';

const newApplication = () => registerApplication(service, ada.token);
const whoAmI = (headers: Record<string, string>, at = service) => at.send('GET', `${base}/me`, { headers });
const rotate = async ({ id, clientId }: TestApplication, body?: unknown) => {
  const answer = await service.send('POST', `${base}/${id}/rotate-secret`, {
    token: ada.token,
    ...(body === undefined ? {} : { body }),
  });
  expect(answer.status).toBe(200);
  return { ...answer.body, headers: basicHeaders(clientId, answer.body.clientSecret) };
};
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });

test('an application identifies itself by client id and secret, in every process', async () => {
  const app = await newApplication();
  for (const at of [service, other]) {
    for (let again = 0; again < 2; again++) {
      const { status, body } = await whoAmI(app.headers, at);
      expect(status).toBe(200);
      expect(body.application).toMatchObject({ id: app.id, clientId: app.clientId, name: 'Notes' });
    }
  }
});

test('the pair is form-encoded, and the scheme is written in any case', async () => {
  const { clientId, clientSecret } = await newApplication();
  const encoded = clientSecret.replace('_', '%5F').replace('-', '%2D');
  expect((await whoAmI(basic(`${clientId}:${encoded}`))).status).toBe(200);
  const { authorization } = basic(`${clientId}:${clientSecret}`);
  expect((await whoAmI({ authorization: authorization.replace('Basic', 'bAsIC') })).status).toBe(200);
});

test.each([
  ['no header', () => ({})],
  ['a wrong secret', ({ clientId }: TestApplication) => basic(`${clientId}:obol_cs_wrong`)],
  ['no secret', ({ clientId }: TestApplication) => basic(`${clientId}:`)],
  ['an unknown client', ({ clientSecret }: TestApplication) => basic(`app_0:${clientSecret}`)],
  [
    'a client id in another case',
    ({ clientId, clientSecret }) => basic(`${clientId.toUpperCase()}:${clientSecret}`),
  ],
  [
    'the secret of another application',
    ({ clientId }, { clientSecret }) => basic(`${clientId}:${clientSecret}`),
  ],
  ['a null byte', ({ clientSecret }) => basic(`app_%00:${clientSecret}`)],
  ['a broken encoding', ({ clientSecret }) => basic(`%zz:${clientSecret}`)],
  ['no colon', ({ clientId }) => basic(clientId)],
  ['no base64', () => ({ authorization: 'Basic ?' })],
  ['an access token', () => ({ authorization: `Bearer ${ada.token}` })],
] as [string, (app: TestApplication, second: TestApplication) => Record<string, string>][])(
  '%s is refused in the same words',
  async (_, headersOf) => {
    const { status, body, headers } = await whoAmI(headersOf(await newApplication(), await newApplication()));
    expect([status, body.code]).toEqual([401, 'auth.application_invalid']);
    expect(headers.get('www-authenticate')).toBe('Basic realm="Obol", charset="UTF-8"');
  },
);

test('a rotated secret works at once, and the old one for as long as the overlap says', async () => {
  const app = await newApplication();
  const next = await rotate(app, { overlapSeconds: 60 });
  expect(new Date(next.previousExpireAt).getTime()).toBe(service.clock.now().getTime() + 60_000);
  for (const at of [service, other]) {
    expect((await whoAmI(app.headers, at)).status).toBe(200);
    expect((await whoAmI(next.headers, at)).status).toBe(200);
  }
  service.clock.advance({ ms: 59_999 });
  expect((await whoAmI(app.headers)).status).toBe(200);
  service.clock.advance({ ms: 1 });
  for (const at of [service, other]) {
    expect((await whoAmI(app.headers, at)).status).toBe(401);
    expect((await whoAmI(next.headers, at)).status).toBe(200);
  }
});

test('without a word about it the overlap is a day, and rotating again does not lengthen it', async () => {
  const app = await newApplication();
  await rotate(app);
  service.clock.advance({ hours: 23 });
  const next = await rotate(app);
  service.clock.advance({ hours: 1 });
  expect((await whoAmI(app.headers)).status).toBe(401);
  expect((await whoAmI(next.headers)).status).toBe(200);
});

test('a secret that leaked ends at once, also where it has just been used', async () => {
  const app = await newApplication();
  for (const at of [service, other]) expect((await whoAmI(app.headers, at)).status).toBe(200);
  const next = await rotate(app, { overlapSeconds: 0 });
  for (const at of [service, other]) {
    expect((await whoAmI(app.headers, at)).status).toBe(401);
    expect((await whoAmI(next.headers, at)).status).toBe(200);
  }
});

test('however often it is rotated, few secrets are left to compare', async () => {
  const app = await newApplication();
  for (let count = 0; count < 8; count++) await rotate(app);
  const { rows } = await owner.query(`select from apps.application_secrets where application_id = $1`, [
    app.id,
  ]);
  expect(rows).toHaveLength(5);
});

test('switched off or deleted, an application is refused at once everywhere, and comes back with the switch', async () => {
  const app = await newApplication();
  const turn = (isActive: boolean) =>
    service.send('PUT', `${base}/${app.id}`, { token: ada.token, body: { isActive } });
  for (const at of [service, other]) expect((await whoAmI(app.headers, at)).status).toBe(200);
  await turn(false);
  for (const at of [service, other]) expect((await whoAmI(app.headers, at)).status).toBe(401);
  await turn(true);
  for (const at of [service, other]) expect((await whoAmI(app.headers, at)).status).toBe(200);
  await service.send('DELETE', `${base}/${app.id}`, { token: ada.token });
  for (const at of [service, other]) expect((await whoAmI(app.headers, at)).status).toBe(401);
});

test('routes for people do not take the credentials of an application', async () => {
  const { headers } = await newApplication();
  const { status, body } = await service.send('GET', '/api/v1/users/me', { headers });
  expect([status, body.code]).toEqual([401, 'auth.required']);
});

test('who fails too often is refused for a while; credentials that have passed go on working', async () => {
  const limited = await startTestService({
    shareDatabaseWith: service,
    env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_MAX: '1000' },
  });
  const [app, late] = [await newApplication(), await newApplication()];
  expect((await whoAmI(app.headers, limited)).status).toBe(200);
  const wrong = basic(`${app.clientId}:obol_cs_wrong`);
  const statuses = new Set<number>();
  for (let count = 0; count < 20; count++) statuses.add((await whoAmI(wrong, limited)).status);
  expect(statuses).toEqual(new Set([401]));
  const refused = await whoAmI(wrong, limited);
  expect([refused.status, refused.body.code]).toEqual([429, 'request.rate_limited']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await whoAmI(late.headers, limited)).status).toBe(429);
  expect((await whoAmI(app.headers, limited)).status).toBe(200);
});
