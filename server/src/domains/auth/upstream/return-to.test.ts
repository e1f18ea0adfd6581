import { describe, expect, test } from 'vitest';
import { startTestProvider, TestBrowser } from '../../../../test/harness/oauth.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import { companyEnv, locationOf, newClaims, signInAtStandIn } from '../../../../test/harness/upstream.ts';

const company = await startStandIn();
const service = await startTestProvider({ env: { SOCIAL_DEFAULT: 'company', ...companyEnv(company) } });
const own = service.issuer;

const ways = ['/api/v1/login', '/api/v1/auth/social/company', '/api/v1/logout'];
const wayTo = (path: string, returnTo: string) => `${path}?${new URLSearchParams({ returnTo }).toString()}`;

/** Each begins with two slashes once a browser, or we, have normalised it. */
const foreign = [
  '//evil.example',
  '/\\evil.example',
  '/.//evil.example',
  '/%2e//evil.example',
  '/.%2E/.//evil.example/path?query',
  '/a/..//evil.example',
  '/a/%2e%2e//evil.example',
  `${own}//evil.example`,
  `${own}/\\evil.example`,
  `${own}/.//evil.example`,
  `${own}/a/..//evil.example`,
  `${own}/\t/evil.example`,
];
const ours = [
  ['/sign-in?done', '/sign-in?done'],
  ['/credits?need=5', '/credits?need=5'],
  ['/a/../credits', '/credits'],
  ['/a//b', '/a//b'],
  [`${own}/credits`, '/credits'],
  [`${own}/credits?back=//evil.example`, '/credits?back=//evil.example'],
] as const;

describe('who asks to be led back', () => {
  test.each(ways)('%s: is not led to another host by a path that only looks like one', async (way) => {
    for (const returnTo of foreign) {
      const { status, headers, body } = await service.send('GET', wayTo(way, returnTo));
      expect([returnTo, status, body?.code]).toEqual([returnTo, 400, 'auth.return_not_allowed']);
      expect(headers.get('location')).toBeNull();
    }
  });

  test('is led to a path of ours by a sign-out', async () => {
    for (const [returnTo, path] of ours) {
      const response = await new TestBrowser(service).request(wayTo('/api/v1/logout', returnTo));
      expect([returnTo, response.status, locationOf(response)]).toEqual([returnTo, 302, path]);
    }
  });

  test('is led to a path of ours by a sign-in', async () => {
    for (const [returnTo, path] of ours) {
      const way = wayTo('/api/v1/auth/social/company', returnTo);
      const response = await signInAtStandIn(new TestBrowser(service), company, newClaims(), way);
      expect([returnTo, response.status, locationOf(response)]).toEqual([returnTo, 303, path]);
    }
    const byDefault = wayTo('/api/v1/login', '/credits');
    const response = await signInAtStandIn(new TestBrowser(service), company, newClaims(), byDefault);
    expect(locationOf(response)).toBe('/credits');
  });
});
