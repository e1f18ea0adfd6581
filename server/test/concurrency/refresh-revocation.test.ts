import { expect, test } from 'vitest';
import { registerApplication } from '../harness/applications.ts';
import { startTestService } from '../harness/index.ts';
import { jsonFlowCalls, redirectUrl } from '../harness/json-flow.ts';
import { OauthCalls } from '../harness/oauth-flow.ts';
import { startTestProvider } from '../harness/oauth.ts';
import { registerPerson, signIn, type SignedIn } from '../harness/people.ts';

const service = await startTestProvider();
const second = await startTestService({
  shareDatabaseWith: service,
  clock: service.clock,
  env: { BASE_URL: service.issuer },
});
const { accessToken: adminToken } = await signIn(service, await registerPerson(service));
const app = await registerApplication(service, adminToken, { access: 'open' });
const calls = new OauthCalls(service, app);
const elsewhere = new OauthCalls({ ...service, url: second.url }, app);
const { verifier, authorizeWithToken } = jsonFlowCalls(service, () => app);

type Tokens = { access_token: string; refresh_token: string };

async function newTokens({ accessToken }: SignedIn): Promise<Tokens> {
  const { body } = await authorizeWithToken(accessToken);
  const tokens = await calls.redeem(body.code, verifier, { redirect_uri: redirectUrl });
  expect(tokens.body).toMatchObject({ refresh_token: expect.any(String) });
  return tokens.body;
}

/** The ways in which what a person gave to an application ends. */
const ends: ((session: SignedIn, tokens: Tokens) => Promise<{ status: number }>)[] = [
  (_session, tokens) => calls.revoke(tokens.refresh_token),
  (_session, tokens) => calls.revoke(tokens.access_token),
  async ({ accessToken: token }) => {
    const { body } = await service.send('GET', '/api/v1/users/me/grants', { token });
    return service.send('DELETE', `/api/v1/users/me/grants/${body.grants[0].id}`, { token });
  },
  ({ accessToken: token }) => service.send('POST', '/api/v1/auth/logout', { token }),
];

/** One person's refreshes against ends; returns how many came first. */
async function race(attempts: number): Promise<number> {
  const person = await registerPerson(service);
  let session = await signIn(service, person);
  let refreshedCount = 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const tokens = await newTokens(session);
    const end = ends[attempt % ends.length]!;
    const [refreshed, ended] = await Promise.all([
      elsewhere.refresh(tokens.refresh_token),
      end(session, tokens),
    ]);
    expect(ended.status).toBe(200);
    await expectDead(tokens);
    if (refreshed.status === 200) {
      refreshedCount++;
      await expectDead(refreshed.body);
    } else expect(refreshed.body.error).toBe('invalid_grant');
    if (attempt % ends.length === ends.length - 1) session = await signIn(service, person);
  }
  return refreshedCount;
}

async function expectDead(tokens: Tokens): Promise<void> {
  const [access, renewed] = await Promise.all([
    elsewhere.introspect(tokens.access_token),
    calls.refresh(tokens.refresh_token),
  ]);
  expect(access.body).toEqual({ active: false });
  expect(renewed).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
}

test('500 refreshes race the end of what they renew, in two processes: nothing that comes out works', async () => {
  const counts = await Promise.all(Array.from({ length: 5 }, () => race(100)));
  const refreshedCount = counts.reduce((sum, count) => sum + count, 0);
  expect(refreshedCount).toBeGreaterThan(0);
  expect(refreshedCount).toBeLessThan(500);
}, 300_000);
