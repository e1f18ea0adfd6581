import { beforeEach, describe, expect, test } from 'vitest';
import { OauthCalls } from '../../../../test/harness/oauth-flow.ts';
import { expectPage, newPkce, startTestProvider, TestBrowser } from '../../../../test/harness/oauth.ts';
import { registerPerson } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import { startReceiver, type Reply } from '../../../../test/harness/receiver.ts';

const receiver = await startReceiver();
const closed = await startTestProvider();
const open = await startTestProvider({
  env: { OAUTH_REGISTRATION: 'open', OAUTH_CLIENT_DOCUMENTS: 'true', WEBHOOK_ALLOW_LOOPBACK: 'true' },
  resolve: async (name) =>
    name === 'private.example' ? [{ address: '10.0.0.1', family: 4 }] : [{ address: '127.0.0.1', family: 4 }],
});
const owner = await connectAsOwner(open);
const redirectUri = 'https://tool.example.com/callback';
const description = {
  client_name: 'A tool',
  redirect_uris: [redirectUri],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
};
const register = (metadata: unknown, at = open) => at.send('POST', '/oauth/register', { body: metadata });

describe('applications that register themselves', () => {
  test('only where the operator lets them', async () => {
    expect((await register(description, closed)).status).toBe(404);
    const { body } = await closed.send('GET', '/.well-known/openid-configuration');
    expect(body).not.toHaveProperty('registration_endpoint');
    const { body: other } = await open.send('GET', '/.well-known/oauth-authorization-server');
    expect(other.registration_endpoint).toBe(`${open.issuer}/oauth/register`);
  });

  test('sign people in, marked as not verified', async () => {
    const { status, body } = await register(description);
    expect([status, body.client_secret]).toEqual([201, undefined]);
    const calls = new OauthCalls(open, { clientId: body.client_id, redirectUri });
    const { code_challenge, verifier } = challengeOf();
    const person = await registerPerson(open);
    const browser = new TestBrowser(open);
    const url = calls.authorizeUrl({ code_challenge, code_challenge_method: 'S256' });
    const signIn = expectPage(await browser.open(url), 'sign-in');
    const typed = { email: person.email, password: person.password };
    const consent = expectPage(await browser.submit(signIn, typed), 'consent');
    expect(consent.page.application).toMatchObject({ name: 'A tool', isVerified: false });
    const callback = (await browser.submit(consent, { decision: 'allow' })) as URL;
    expect((await calls.redeem(callback.searchParams.get('code') ?? '', verifier)).status).toBe(200);
  });

  test('keep a secret when they say that they can', async () => {
    const { body } = await register({ ...description, token_endpoint_auth_method: 'client_secret_post' });
    expect(body).toMatchObject({ client_secret: expect.any(String), client_secret_expires_at: 0 });
    const calls = new OauthCalls(open, { clientId: body.client_id, clientSecret: body.client_secret });
    expect((await calls.introspect('x')).status).toBe(200);
  });

  test('are refused in the form of RFC 7591', async () => {
    const cases: [unknown, string][] = [
      [[], 'invalid_client_metadata'],
      [{ ...description, redirect_uris: ['http://tool.example.com'] }, 'invalid_redirect_uri'],
      [{ ...description, redirect_uris: [`${redirectUri}#x`] }, 'invalid_redirect_uri'],
      [{ ...description, redirect_uris: undefined }, 'invalid_redirect_uri'],
      [{ ...description, redirect_uris: 'x' }, 'invalid_client_metadata'],
      [{ ...description, grant_types: ['implicit'] }, 'invalid_client_metadata'],
      [{ ...description, grant_types: ['password'] }, 'invalid_client_metadata'],
      [{ ...description, grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
      [{ ...description, response_types: ['token'] }, 'invalid_client_metadata'],
      [{ ...description, token_endpoint_auth_method: 'client_secret_jwt' }, 'invalid_client_metadata'],
      [{ ...description, token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata'],
      [{ ...description, logo_uri: 'javascript:alert(1)' }, 'invalid_client_metadata'],
      [{ ...description, jwks: { keys: [{ kty: 'oct', k: 'x' }] } }, 'invalid_client_metadata'],
      [{ ...description, client_name: 5 }, 'invalid_client_metadata'],
      [{ ...description, client_name: 'A tool\r\nBcc: ada@example.com' }, 'invalid_client_metadata'],
      [{ ...description, client_name: '\u202eloot A' }, 'invalid_client_metadata'],
      [{ ...description, client_name: 'A\u200btool' }, 'invalid_client_metadata'],
    ];
    for (const [metadata, error] of cases) {
      const answer = await register(metadata);
      expect([metadata, answer.status, answer.body.error]).toEqual([metadata, 400, error]);
    }
  });
});

const json = (body: unknown, type = 'application/json'): Reply => {
  return (response) => response.writeHead(200, { 'content-type': type }).end(JSON.stringify(body));
};
const askAs = (id: string, browser = new TestBrowser(open)) => {
  const { code_challenge } = challengeOf();
  const calls = new OauthCalls(open, { clientId: id, redirectUri });
  const url = calls.authorizeUrl({ code_challenge, code_challenge_method: 'S256' });
  return browser.open(url);
};

describe('applications that are described by a document', () => {
  let count = 0;
  let clientId = '';
  let document: Record<string, unknown> = {};
  beforeEach(() => {
    const port = new URL(receiver.url).port;
    clientId = `http://localhost:${port}/client-${++count}.json`;
    document = { client_id: clientId, client_name: 'A tool', redirect_uris: [redirectUri] };
    receiver.received.length = 0;
    receiver.reply = json(document);
  });

  test('sign people in; the document is read again after an hour', async () => {
    expect(expectPage(await askAs(clientId), 'sign-in').page.application).toMatchObject({
      isVerified: false,
    });
    expectPage(await askAs(clientId), 'sign-in');
    expect(receiver.received).toHaveLength(1);
    receiver.reply = json({ ...document, client_name: 'Another name' });
    open.clock.advance({ minutes: 61 });
    expect(expectPage(await askAs(clientId), 'sign-in').page.application.name).toBe('Another name');
    receiver.reply = (response) => response.writeHead(503).end();
    open.clock.advance({ minutes: 61 });
    expectPage(await askAs(clientId), 'sign-in');
  });

  test('are not verified any more once they look different', async () => {
    const viewOf = async () => expectPage(await askAs(clientId), 'sign-in').page.application;
    await viewOf();
    await owner.query('update apps.applications set is_verified = true where client_id = $1', [clientId]);
    receiver.reply = json({ ...document, contacts: ['ada@example.com'] });
    open.clock.advance({ minutes: 61 });
    expect(await viewOf()).toMatchObject({ name: 'A tool', isVerified: true });
    receiver.reply = json({ ...document, redirect_uris: [redirectUri, 'https://evil.example.com/callback'] });
    open.clock.advance({ minutes: 61 });
    expect(await viewOf()).toMatchObject({ name: 'A tool', isVerified: false });
    receiver.reply = json(document);
    open.clock.advance({ minutes: 61 });
    expect(await viewOf()).toMatchObject({ isVerified: false });
  });

  test('meet people who are signed in already', async () => {
    const person = await registerPerson(open);
    const browser = new TestBrowser(open);
    const page = expectPage(await browser.open('/sign-in'), 'sign-in');
    expectPage(await browser.submit(page, { email: person.email, password: person.password }), 'notice');
    expectPage(await askAs(clientId, browser), 'consent');
  });

  test('are refused when the document is not theirs, holds a secret, or is no document', async () => {
    const wrong: Reply[] = [
      json({ ...document, client_id: `${clientId}x` }),
      json({ ...document, client_secret: 'x' }),
      json({ ...document, token_endpoint_auth_method: 'client_secret_basic' }),
      json({ ...document, redirect_uris: [] }),
      json(document, 'text/html'),
      json({ ...document, padding: 'x'.repeat(70_000) }),
      (response) => response.writeHead(302, { location: receiver.url }).end(),
      (response) => response.writeHead(404).end(),
    ];
    for (const reply of wrong) {
      receiver.reply = reply;
      expectPage(await askAs(clientId), 'error');
      expect(receiver.received).toHaveLength(1);
      receiver.received.length = 0;
      open.clock.advance({ seconds: 61 });
    }
  });

  test('a failure is not tried again at once', async () => {
    receiver.reply = (response) => response.writeHead(500).end();
    await askAs(clientId);
    await askAs(clientId);
    expect(receiver.received).toHaveLength(1);
  });

  test('nothing private is asked, and no address that could be read in two ways', async () => {
    const { port } = new URL(receiver.url);
    for (const id of [
      `http://private.example:${port}/client.json`,
      `http://10.0.0.1/client.json`,
      `http://169.254.169.254/latest/meta-data`,
      `http://tool.example:${port}/`,
      `http://tool.example:${port}/a/../client.json`,
      `http://user@tool.example:${port}/client.json`,
      `http://tool.example:${port}/client.json#x`,
      `http://tool.example:${port}/client.json?x`,
      `ftp://tool.example/client.json`,
    ]) {
      expectPage(await askAs(id), 'error');
    }
    expect(receiver.received).toEqual([]);
  });
});

function challengeOf(): { code_challenge: string; verifier: string } {
  const { challenge, verifier } = newPkce();
  return { code_challenge: challenge, verifier };
}
