import { describe, expect, test } from 'vitest';
import { startTestProvider, TestBrowser } from '../../../../test/harness/oauth.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import {
  companyEnv,
  goToStandIn,
  locationOf,
  newClaims,
  signInAtStandIn,
} from '../../../../test/harness/upstream.ts';

const frontEnd = 'https://app.example.com';
const company = await startStandIn();
const service = await startTestProvider({ env: { CORS_ORIGINS: frontEnd, ...companyEnv(company) } });

const newBrowser = () => new TestBrowser(service);

const land = async (query: Record<string, string> = {}) => {
  const browser = newBrowser();
  const path = `/api/v1/auth/social/company?${new URLSearchParams({ returnTo: frontEnd, ...query }).toString()}`;
  const response = await signInAtStandIn(browser, company, newClaims(), path);
  return new URL(locationOf(response));
};
const exchange = (body: Record<string, unknown>, headers: Record<string, string> = { origin: frontEnd }) =>
  service.send('POST', '/api/v1/auth/session-to-token', { body, headers });

describe('front ends', () => {
  test('the code lives a minute, and is proved where the front end has sent a challenge', async () => {
    const late = await land();
    service.clock.advance({ seconds: 61 });
    expect((await exchange({ code: late.searchParams.get('code') })).body.code).toBe('auth.code_invalid');

    const codeVerifier = 'v'.repeat(43);
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(codeVerifier));
    const codeChallenge = Buffer.from(digest).toString('base64url');
    const code = (await land({ codeChallenge })).searchParams.get('code');
    expect((await exchange({ code })).status).toBe(401);
    expect((await exchange({ code, codeVerifier: 'w'.repeat(43) })).status).toBe(401);
    expect((await exchange({ code, codeVerifier })).status).toBe(200);
    expect((await exchange({ code: 7 })).status).toBe(400);
  });

  test('of sixteen exchanges of one code, one gets tokens', async () => {
    const code = (await land()).searchParams.get('code');
    const statuses = await Promise.all(
      Array.from({ length: 16 }, async () => (await exchange({ code })).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(15);
  });

  test('what the service decides cannot be asked for: where the way back leads, and tokens in the address', async () => {
    const query = { callbackPath: '@elsewhere.example/back', mayHandTokens: 'true', isLink: 'true' };
    const search = new URLSearchParams({ returnTo: frontEnd, ...query }).toString();
    const asked = await goToStandIn(newBrowser(), company, `/api/v1/auth/social/company?${search}`);
    expect(asked.get('redirect_uri')).toBe(`${service.issuer}/api/v1/auth/social/company/callback`);
    expect([...(await land(query)).searchParams.keys()]).toEqual(['code']);
  });

  test('the providers are listed', async () => {
    const { body } = await service.send('GET', '/api/v1/auth/social');
    expect(body.providers).toEqual([
      {
        name: 'company',
        label: 'The company',
        url: `${service.issuer}/api/v1/auth/social/company`,
      },
    ]);
  });
});
