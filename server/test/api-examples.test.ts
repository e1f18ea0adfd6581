import { once } from 'node:events';
import type { Server } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js';
import * as oauth from 'oauth4webapi';
import { afterAll, describe, expect, test } from 'vitest';
import { createObolClient } from '../../examples/lib/obol-client.ts';
import { createMcpServer } from '../../examples/mcp-server.ts';
import { createNotesApi } from '../../examples/protected-api.ts';
import type { TestApplication } from './harness/applications.ts';
import { readOwn } from './harness/movements.ts';
import { expectCallback, expectPage, findFreePort, startTestProvider, TestBrowser } from './harness/oauth.ts';
import { OauthCalls } from './harness/oauth-flow.ts';
import { registerOwnApplication } from './harness/openid.ts';
import { registerPerson, signIn, type Person } from './harness/people.ts';

const service = await startTestProvider();

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  await once(server, 'listening');
}

describe('an API protected by tokens of Obol', async () => {
  const port = await findFreePort();
  const resource = `http://localhost:${port}`;
  await listen(createNotesApi({ issuer: service.issuer, resource }), port);
  const api = { identifier: resource, scopes: ['notes:read', 'notes:write'] };
  const calls = new OauthCalls(service, await registerOwnApplication(service, { resources: [api] }));
  const send = (method: string, token?: string, body?: unknown) =>
    fetch(`${resource}/notes`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  test('everybody has their own notes, and no more than their token says', async () => {
    const scope = 'openid notes:read notes:write';
    const { tokens: ada } = await calls.obtainTokens({ scope, resource });
    const { tokens: ben } = await calls.obtainTokens({ scope: 'openid notes:read', resource });
    expect((await send('POST', ada.access_token, { text: 'Bread' })).status).toBe(201);
    expect(await (await send('GET', ada.access_token)).json()).toEqual({ notes: ['Bread'] });
    expect(await (await send('GET', ben.access_token)).json()).toEqual({ notes: [] });
    const refused = await send('POST', ben.access_token, { text: 'Milk' });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      403,
      `Bearer error="insufficient_scope", scope="notes:write", resource_metadata="${resource}/.well-known/oauth-protected-resource"`,
    ]);
  });

  test('who comes without a token finds out where to get one', async () => {
    const refused = await send('GET');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('resource_metadata=');
    const insecure = { [oauth.allowInsecureRequests]: true };
    const response = await oauth.resourceDiscoveryRequest(new URL(resource), insecure);
    const metadata = await oauth.processResourceDiscoveryResponse(new URL(resource), response);
    expect(metadata.authorization_servers).toEqual([service.issuer]);
  });

  test('tokens for somebody else, ID tokens and old ones open nothing', async () => {
    const { tokens } = await calls.obtainTokens({ scope: 'openid notes:read', resource });
    const { tokens: ours } = await calls.obtainTokens();
    for (const token of [tokens.id_token, ours.access_token, `${tokens.access_token}x`, 'x'])
      expect((await send('GET', token)).status).toBe(401);
    expect((await send('GET', tokens.access_token)).status).toBe(200);
    service.clock.advance({ minutes: 15 });
    expect((await send('GET', tokens.access_token)).status).toBe(401);
  });
});

const count = (client: Client) =>
  client.callTool({ name: 'count_words', arguments: { text: 'bread and butter' } });

/** The link with which the server answers in place of the work. */
const linkOf = async (client: Client): Promise<string> => {
  const error: unknown = await count(client).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UrlElicitationRequiredError);
  return (error as UrlElicitationRequiredError).elicitations[0]!.url;
};

describe('an MCP server that charges credits', async () => {
  const port = await findFreePort();
  const origin = `http://localhost:${port}`;
  const resource = `${origin}/mcp`;
  const app: TestApplication = await registerOwnApplication(service, {
    name: 'Word counter',
    redirectUri: `${origin}/allowed`,
    resources: [{ identifier: resource, scopes: ['tools:use'] }],
  });
  const obol = createObolClient({ url: service.url, ...app });
  const { clientId } = app;
  await listen(createMcpServer({ issuer: service.issuer, resource, clientId, obol }), port);
  const agent = await registerOwnApplication(service, {
    name: 'Agent',
    type: 'native',
    redirectUri: 'http://127.0.0.1/callback',
  });

  /** An agent that knows the address of the server and its own client id, and nothing else. */
  async function connectAgent(person: Person, browser: TestBrowser): Promise<Client> {
    const calls = new OauthCalls(service, agent);
    const callback = Promise.withResolvers<URL>();
    const provider = createClientProvider((url) =>
      callback.resolve(calls.passPages(browser, person, url.href)),
    );
    const address = new URL(resource);
    const transport = new StreamableHTTPClientTransport(address, { authProvider: provider });
    await expect(new Client({ name: 'agent', version: '1' }).connect(transport)).rejects.toThrow(
      'Unauthorized',
    );
    const code = (await callback.promise).searchParams.get('code') ?? '';
    await transport.finishAuth(code);
    const client = new Client({ name: 'agent', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(address, { authProvider: provider }));
    return client;
  }

  function createClientProvider(open: (url: URL) => void): OAuthClientProvider {
    const redirectUrl = 'http://127.0.0.1:53682/callback';
    let tokens: ReturnType<OAuthClientProvider['tokens']>;
    let verifier = '';
    return {
      redirectUrl,
      clientMetadata: { redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none' },
      clientInformation: () => ({ client_id: agent.clientId }),
      tokens: () => tokens,
      saveTokens: (given) => void (tokens = given),
      redirectToAuthorization: open,
      saveCodeVerifier: (given) => void (verifier = given),
      codeVerifier: () => verifier,
    };
  }

  test('found by metadata, paid from a budget that was lowered, used up, and raised', async () => {
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    const client = await connectAgent(person, browser);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['count_words']);

    const allow = await linkOf(client);
    expect(allow).toBe(`${origin}/allow`);
    const { headers } = await fetch(allow, { redirect: 'manual' });
    const consent = expectPage(await browser.open(headers.get('location') ?? ''), 'consent');
    expect(consent.page).toMatchObject({ application: { name: 'Word counter' }, budget: { allowance: 100 } });
    const done = await browser.submit(consent, { decision: 'allow', allowance: '10', maxPerSpend: '5' });
    expect(expectCallback(done).href).toMatch(`${origin}/allowed?code=`);

    for (let call = 0; call < 2; call++)
      expect((await count(client)).content).toEqual([{ type: 'text', text: '3' }]);
    const raise = expectPage(await browser.open(await linkOf(client)), 'budget');
    expect(raise.page).toMatchObject({ used: 10, budget: { allowance: 10 } });
    await browser.submit(raise, { decision: 'save', allowance: '20', maxPerSpend: '5' });
    expect((await count(client)).content).toEqual([{ type: 'text', text: '3' }]);

    const { accessToken: token } = await signIn(service, person);
    const holder = { userId: person.id, sessionId: '', token };
    expect(await readOwn(service, holder, 'balance')).toMatchObject({ totalSpent: 15, held: 0 });
    await client.close();
  });

  test('a token for another API is no way in', async () => {
    const { tokens } = await new OauthCalls(service, {
      ...agent,
      redirectUri: 'http://127.0.0.1:1/callback',
    }).obtainTokens();
    const answer = await fetch(resource, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    expect(answer.status).toBe(401);
  });
});
