import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { basicHeaders } from '../harness/applications.ts';
import { sendJson } from '../harness/index.ts';

const password = 'correct horse lantern';

export type RealPerson = { userId: string; email: string; token: string };
export type RealApplication = { clientId: string; headers: Record<string, string> };

/** Registers a person with a real service and signs in. */
export async function registerRealPerson(url: string): Promise<RealPerson> {
  const email = `${randomUUID()}@example.com`;
  const { id } = await post(url, 'auth/register', 201, { email, password });
  return { userId: id, email, token: await signInAgain(url, email) };
}

/** A new token, which says what the person's role is now. */
export async function signInAgain(url: string, email: string): Promise<string> {
  return (await post(url, 'auth/login', 200, { email, password })).accessToken;
}

/** Registers an application as this person's. */
export async function registerRealApplication(url: string, person: RealPerson): Promise<RealApplication> {
  const body = { name: 'Crash test', redirectUri: 'https://crash.example.com/callback', roles: ['editor'] };
  const { application } = await post(url, 'applications', 201, body, person.token);
  const { clientId, clientSecret } = application;
  return { clientId, headers: basicHeaders(clientId, clientSecret) };
}

/** Lets the application spend without a limit that the test could meet. */
export async function giveMandate(url: string, person: RealPerson, app: RealApplication): Promise<void> {
  const body = { appId: app.clientId, allowance: 1_000_000_000, period: 'total' };
  await post(url, 'credits/mandates', 201, body, person.token);
}

/** Reads from the credits as this person. */
export async function readReal(url: string, person: RealPerson, path: string): Promise<any> {
  const { status, body } = await sendJson(`${url}/api/v1/credits/${path}`, 'GET', { token: person.token });
  expect(status).toBe(200);
  return body;
}

/** Every transaction of a person's wallet, page by page. */
export async function readJournal(url: string, person: RealPerson): Promise<any[]> {
  const journal: any[] = [];
  let page = `${url}/api/v1/credits/transactions?limit=200`;
  while (page !== '') {
    const { status, headers, body } = await sendJson(page, 'GET', { token: person.token });
    expect(status).toBe(200);
    journal.push(...body);
    const next = /<([^>]+)>;\s*rel="next"/.exec(headers.get('link') ?? '')?.[1];
    page = next === undefined ? '' : new URL(next, url).href;
  }
  return journal;
}

async function post(
  url: string,
  path: string,
  expected: number,
  body: unknown,
  token?: string,
): Promise<any> {
  const options = token === undefined ? { body } : { body, token };
  const answer = await sendJson(`${url}/api/v1/${path}`, 'POST', options);
  expect(answer).toMatchObject({ status: expected });
  return answer.body;
}
