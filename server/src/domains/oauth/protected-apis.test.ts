import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import type { Answer } from '../../../test/harness/index.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import { expectPage, newPkce, startTestProvider, TestBrowser } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestProvider({ env: { OAUTH_REGISTRATION: 'open' } });
const exchangeType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const identifier = 'https://api.example.com';
const scopes = ['notes:read', 'notes:write'];

type Owner = { token: string; register: (given: Record<string, unknown>) => Promise<OauthCalls> };
type Registered = OauthCalls & { client: { id: string } };

async function newOwner(): Promise<Owner> {
  const { accessToken: token } = await signIn(service, await registerPerson(service));
  const register = async (given: Record<string, unknown>) =>
    new OauthCalls(service, await registerApplication(service, token, { access: 'open', ...given }));
  return { token, register };
}

const ofItsOwn = { redirectUris: [], grantTypes: ['client_credentials', exchangeType] };
const ask = (calls: OauthCalls, form: Record<string, string> = {}): Promise<Answer> =>
  calls.post('/oauth/token', { grant_type: 'client_credentials', resource: identifier, ...form });
const change = (owner: Owner, calls: OauthCalls, resources: unknown[]) =>
  service.send('PUT', `/api/v1/applications/${(calls as Registered).client.id}`, {
    token: owner.token,
    body: { resources },
  });

let owner: Owner;
let api: OauthCalls;
let mallory: Owner;
let stranger: OauthCalls;

const about = (token: string) =>
  fetch(`${service.url}/userinfo`, { headers: { authorization: `Bearer ${token}` } });

beforeAll(async () => {
  owner = await newOwner();
  api = await owner.register({ ...ofItsOwn, resources: [{ identifier, scopes }] });
  mallory = await newOwner();
  stranger = await mallory.register(ofItsOwn);
});

describe('an application in its own name', () => {
  test('gets no token for an API that does not let it in', async () => {
    const refused = await ask(stranger, { scope: 'notes:read admin' });
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_target']);
  });

  test('gets one for its own API, and for one that lets it in, until it does not any more', async () => {
    const own = await ask(api, { scope: 'notes:read' });
    expect(decodeJwt(own.body.access_token)).toMatchObject({ aud: identifier, scope: 'notes:read' });
    const clients = [stranger.client.clientId];
    expect((await change(owner, api, [{ identifier, scopes, clients }])).status).toBe(200);
    const letIn = await ask(stranger, { scope: 'notes:read' });
    expect(decodeJwt(letIn.body.access_token)).toMatchObject({
      aud: identifier,
      client_id: stranger.client.clientId,
      scope: 'notes:read',
    });
    expect((await change(owner, api, [{ identifier, scopes }])).status).toBe(200);
    expect((await ask(stranger, { scope: 'notes:read' })).body.error).toBe('invalid_target');
  });

  test('gets only scopes that the API knows', async () => {
    const { body } = await ask(api, { scope: 'openid notes:read admin credits:spend' });
    expect([body.scope, decodeJwt(body.access_token)['scope']]).toEqual(['notes:read', 'notes:read']);
    const { body: none } = await ask(api, { scope: 'admin' });
    expect([none.scope, decodeJwt(none.access_token)['scope']]).toEqual([undefined, undefined]);
  });

  test('that has registered itself has no tokens of its own, and exchanges none', async () => {
    for (const grant of ['client_credentials', exchangeType]) {
      const { status, body } = await service.send('POST', '/oauth/register', {
        body: {
          client_name: 'A tool',
          redirect_uris: ['https://tool.example.com/callback'],
          grant_types: ['authorization_code', grant],
        },
      });
      expect([status, body.error]).toEqual([400, 'invalid_client_metadata']);
    }
  });
});

describe('a person', () => {
  test('is asked for, and can agree to, only scopes that the API knows', async () => {
    const notes = await owner.register({});
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    const { verifier, challenge } = newPkce();
    const url = notes.authorizeUrl({
      scope: 'openid notes:read admin',
      resource: identifier,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    const typed = { email: person.email, password: person.password };
    const consent = expectPage(
      await browser.submit(expectPage(await browser.open(url), 'sign-in'), typed),
      'consent',
    );
    expect(consent.page.scopes.map((scope: { name: string }) => scope.name)).toEqual([
      'openid',
      'notes:read',
    ]);
    const callback = (await browser.submit(consent, { decision: 'allow' })) as URL;
    const { body } = await notes.redeem(callback.searchParams.get('code') ?? '', verifier);
    expect(decodeJwt(body.access_token)).toMatchObject({ aud: identifier, scope: 'openid notes:read' });
    // What nobody can agree to is not asked for again and again.
    expect(await browser.open(url)).toBeInstanceOf(URL);
  });
});

describe('who was let in by the application that protected an API', () => {
  test('is let in no more when another application protects it', async () => {
    const contested = 'https://contested.example.com';
    const mine = 'https://mine.example.com';
    const caller = await mallory.register({
      grantTypes: ['authorization_code', 'client_credentials', exchangeType],
      resources: [{ identifier: mine, scopes: ['admin'] }],
    });
    const squatter = await mallory.register({
      ...ofItsOwn,
      resources: [{ identifier: contested, scopes: ['admin'], clients: [caller.client.clientId] }],
    });
    const { tokens } = await caller.obtainTokens({ scope: 'openid admin', resource: mine });
    const exchange = () =>
      caller.post('/oauth/token', {
        grant_type: exchangeType,
        subject_token: tokens.access_token,
        subject_token_type: accessTokenType,
        audience: contested,
      });
    expect((await exchange()).status).toBe(200);
    expect((await change(mallory, squatter, [])).status).toBe(200);
    await owner.register({ ...ofItsOwn, resources: [{ identifier: contested, scopes: ['admin'] }] });
    expect((await exchange()).body.error).toBe('invalid_target');
    expect((await ask(caller, { resource: contested })).body.error).toBe('invalid_target');
  });
});

describe('a token for another API', () => {
  test('tells nobody about its person: not at userinfo, and not where tokens are judged', async () => {
    const notes = await owner.register({});
    const ask = { scope: 'openid email notes:read' };
    const { tokens: foreign } = await notes.obtainTokens({ ...ask, resource: identifier });
    const { tokens: ours, person } = await notes.obtainTokens(ask);
    expect((await about(foreign.access_token)).status).toBe(401);
    expect(await (await about(ours.access_token)).json()).toMatchObject({ email: person.email });
    for (const token of [foreign.access_token, ours.access_token]) {
      const judged = await service.send('POST', '/api/v1/auth/validate', { body: { token } });
      expect(judged).toMatchObject({ status: 200, body: { valid: false, error: 'auth.token_invalid' } });
    }
  });
});
