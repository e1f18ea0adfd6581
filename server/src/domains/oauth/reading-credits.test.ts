import { beforeAll, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import { startTestProvider } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestProvider();
const opened = ['balance', 'transactions', 'usage', 'statement?month=2026-03'];
let calls: OauthCalls;

beforeAll(async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials'];
  const app = await registerApplication(service, accessToken, { access: 'open', grantTypes });
  calls = new OauthCalls(service, app);
});

const read = (path: string, token: string) => service.send('GET', `/api/v1/${path}`, { token });

test('a token with credits:read reads what the person reads of their own wallet', async () => {
  const { tokens, person } = await calls.obtainTokens({ scope: 'openid credits:read' });
  const { accessToken } = await signIn(service, person);
  for (const path of opened) {
    const own = await read(`credits/${path}`, accessToken);
    const answer = await read(`credits/${path}`, tokens.access_token);
    expect([path, answer.status, answer.body]).toEqual([path, 200, own.body]);
  }
});

test('and nothing else', async () => {
  const { tokens } = await calls.obtainTokens({ scope: 'openid profile email credits:read' });
  const id = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d21';
  for (const path of [
    'users/me',
    'users/me/grants',
    'auth/sessions',
    'credits/purchases',
    'credits/balance-at?at=2026-03-01T00:00:00Z',
    `credits/transactions/${id}/receipt`,
    `credits/teams/${id}/transactions`,
    'credits/teams',
    'credits/mandates',
    'credits/holds',
  ]) {
    const { status, body } = await read(path, tokens.access_token);
    expect([path, status, body.code]).toEqual([path, 403, 'auth.insufficient_scope']);
  }
});

test('other tokens are told what they lack', async () => {
  const { tokens } = await calls.obtainTokens({ scope: 'openid credits:spend' });
  for (const path of opened) {
    const answer = await read(`credits/${path}`, tokens.access_token);
    expect([path, answer.status]).toEqual([path, 403]);
    expect(answer.headers.get('www-authenticate')).toContain('scope="credits:read"');
  }
});

test('nor does it outlive what the person gave, or speak for an application itself', async () => {
  const { tokens } = await calls.obtainTokens({ scope: 'openid credits:read' });
  await calls.revoke(tokens.access_token);
  const form = { grant_type: 'client_credentials', scope: 'credits:read' };
  const { body } = await calls.post('/oauth/token', form);
  for (const path of opened) {
    expect((await read(`credits/${path}`, tokens.access_token)).status).toBe(401);
    expect((await read(`credits/${path}`, body.access_token)).status).toBe(401);
  }
});
