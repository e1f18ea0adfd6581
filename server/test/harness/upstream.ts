import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect } from 'vitest';
import { expectCallback, type TestBrowser, type TestProvider } from './oauth.ts';
import type { Person } from './people.ts';
import type { StandIn } from './stand-in-provider.ts';
import type { TestService } from './index.ts';

/** Confirms a person's address by the link in their mail. */
export async function confirmAddress(service: TestService, { email }: Person): Promise<void> {
  const links = (await service.mails(email)).flatMap((mail) => mail.links);
  const link = links.find((url) => url.includes('/verify-email?token='));
  const token = new URL(link ?? '').searchParams.get('token');
  const { status } = await service.send('POST', '/api/v1/auth/verify-email', { body: { token } });
  expect(status).toBe(200);
}

/** Sends a browser to a stand-in; returns what it is asked, the nonce noted for its next ID token. */
export async function goToStandIn(
  browser: TestBrowser,
  standIn: StandIn,
  path: string,
): Promise<URLSearchParams> {
  const away = expectCallback(await browser.open(path));
  expect(away.origin).toBe(standIn.issuer);
  const asked = away.searchParams;
  standIn.claims = { ...standIn.claims, nonce: asked.get('nonce') };
  return asked;
}

/** Brings the answer of a stand-in to the callback; `fields` replaces or (undefined) leaves out parts. */
export function comeBack(
  browser: TestBrowser,
  standIn: StandIn,
  asked: URLSearchParams,
  fields: Record<string, string | undefined> = {},
): Promise<Response> {
  const all = { code: 'a code', state: asked.get('state') ?? '', iss: standIn.issuer, ...fields };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const url = `${asked.get('redirect_uri') ?? ''}?${new URLSearchParams(given).toString()}`;
  return browser.request(url, { headers: { accept: 'application/json' } });
}

/** All the way there and back; returns the response of the callback. */
export async function signInAtStandIn(
  browser: TestBrowser,
  standIn: StandIn,
  claims: Record<string, unknown>,
  path = '/sign-in/with/company',
): Promise<Response> {
  standIn.claims = claims;
  return comeBack(browser, standIn, await goToStandIn(browser, standIn, path));
}

/** Tokens for who is signed in at a browser. */
export async function tokensOf(service: TestProvider, browser: TestBrowser): Promise<any> {
  const response = await browser.request('/api/v1/auth/session-to-token', {
    method: 'POST',
    headers: { origin: service.issuer, accept: 'application/json' },
  });
  expect(response.status).toBe(200);
  return response.json();
}

/** Whether somebody is signed in at a browser. */
export const isSignedIn = (browser: TestBrowser): boolean => browser.cookies.has('__Host-obol_session');

/** Runs a statement as the owner of the schema, for what only a test may do. */
export async function asOwner(service: TestService, text: string, values: unknown[]): Promise<void> {
  const owner = new pg.Client({ connectionString: service.ownerUrl });
  await owner.connect();
  await owner.query(text, values);
  await owner.end();
}

/** A confirmed person of a stand-in, with an address of their own. */
export const newClaims = (email = `${randomUUID()}@example.com`) => ({
  sub: `person-${randomUUID()}`,
  email,
  email_verified: true,
  name: 'Ada',
});

/** Where an answer leads. */
export const locationOf = (response: Response): string => response.headers.get('location') ?? '';

/** Settings for a stand-in as the provider `company`. */
export const companyEnv = ({ issuer }: StandIn): Record<string, string> => ({
  SOCIAL_COMPANY_ISSUER: issuer,
  SOCIAL_COMPANY_CLIENT_ID: 'obol-client',
  SOCIAL_COMPANY_CLIENT_SECRET: 'a secret & more',
  SOCIAL_COMPANY_LABEL: 'The company',
});

/** The accounts elsewhere that sign in the owner of a token. */
export async function accountsOf(service: TestService, token: string): Promise<any[]> {
  const { status, body } = await service.send('GET', '/api/v1/auth/accounts', { token });
  expect(status).toBe(200);
  return body.accounts;
}

/** What stands in the trail of the owner of a token. */
export async function eventsOf(service: TestService, token: string): Promise<string[]> {
  const { body } = await service.send('GET', '/api/v1/auth/security-events', { token });
  return body.events.map(({ type }: { type: string }) => type);
}
