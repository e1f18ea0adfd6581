import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import {
  expectCallback,
  expectPage,
  newPkce,
  startTestProvider,
  TestBrowser,
} from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestProvider();
const { verifier, challenge } = newPkce();
const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
let calls: OauthCalls;

const ask = (detail: object) => ({
  scope: 'openid credits:spend',
  authorization_details: JSON.stringify([{ type: 'credits_spend', ...detail }]),
});

beforeAll(async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  calls = new OauthCalls(service, await registerApplication(service, accessToken, { access: 'open' }));
});

/** Somebody new, signed in by the page that the request led to; `open` asks again in the same browser. */
async function arrive(params: Record<string, string>) {
  const person = await registerPerson(service);
  const browser = new TestBrowser(service);
  const open = async (given: Record<string, string>) =>
    browser.open(calls.authorizeUrl({ ...pkce, ...given }));
  const signInPage = expectPage(await open(params), 'sign-in');
  const typed = { email: person.email, password: person.password };
  const consent = expectPage(await browser.submit(signInPage, typed), 'consent');
  return { person, browser, open, consent };
}

describe('the page for consent', () => {
  test('names what claims tell of a person that are asked for one by one', async () => {
    const claims = JSON.stringify({ id_token: { email: null, unheard_of: null }, userinfo: { name: null } });
    const { person, browser, open, consent } = await arrive({ claims });
    expect(consent.page.scopes).toEqual([
      { name: 'openid', isNew: true },
      { name: 'profile', isNew: true },
      { name: 'email', isNew: true },
    ]);
    expect(consent.text).toContain('e-mail address');
    const allowed = expectCallback(await browser.submit(consent, { decision: 'allow' }));
    const { body } = await calls.redeem(allowed.searchParams.get('code') ?? '', verifier);
    expect(decodeJwt(body.id_token)).toMatchObject({ email: person.email });
    expectCallback(await open({ claims }));
    const wider = { claims: JSON.stringify({ id_token: { email: null, picture: null } }) };
    expect(expectPage(await open(wider), 'consent').page.scopes).toContainEqual({
      name: 'profile',
      isNew: true,
    });
  });

  test('says of the budget so far all that there is to it, next to one that is larger', async () => {
    const first = { allowance: 100, period: 'month', maxPerSpend: 5, kinds: ['free'] };
    const { browser, open, consent } = await arrive(ask(first));
    expect(consent.page.budget).toMatchObject({ ...first, current: null });
    expectCallback(await browser.submit(consent, { decision: 'allow' }));
    const next = expectPage(await open(ask({ allowance: 100, period: 'day' })), 'consent');
    expect(next.page.budget).toMatchObject({
      allowance: 100,
      period: 'day',
      maxPerSpend: null,
      kinds: ['free', 'paid'],
      current: { ...first, status: 'active' },
    });
    expect(next.text).toContain('Until now: 100 credits a month, at most 5 at a time, free ones only.');
  });
});
