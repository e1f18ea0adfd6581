import { expect, test } from 'vitest';
import { runCurl } from './harness/curl.ts';
import { readGuide } from './harness/guide.ts';
import { findFreePort, startTestProvider } from './harness/oauth.ts';
import { OauthCalls } from './harness/oauth-flow.ts';
import { registerOwnApplication } from './harness/openid.ts';
import { registerPerson, signIn } from './harness/people.ts';

// The code of the guide, run as it stands. Its program goes by the clock of the machine, so the service
// starts there.

const guide = await readGuide('protect-an-api.md');
const service = await startTestProvider({ startAt: new Date().toISOString() });

test('an API is registered, and opened by tokens for it alone, the way the guide says', async () => {
  const resource = `http://localhost:${await findFreePort()}`;
  const { accessToken } = await signIn(service, await registerPerson(service));
  const [register = ''] = guide.blocks('bash');
  const created = await runCurl(
    service.url,
    register.replace('$ACCESS_TOKEN', accessToken).replace('$RESOURCE', resource),
  );
  expect([created.status, created.body.application.resources]).toEqual([
    201,
    [{ identifier: resource, scopes: ['notes:read'], clients: [] }],
  ]);

  const [expressSource = '', joseSource = ''] = guide.blocks('js');
  const env = { ISSUER: service.issuer, RESOURCE: resource };
  expect(await guide.run(expressSource, env)).toEqual([`listening on ${resource}`]);
  const calls = new OauthCalls(service, await registerOwnApplication(service));
  const scope = 'openid notes:read';
  const { tokens, person } = await calls.obtainTokens({ scope, resource });
  const { tokens: narrow } = await calls.obtainTokens({ resource });
  const { tokens: others } = await calls.obtainTokens();
  const get = (token?: string) =>
    fetch(`${resource}/notes`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  const right = await get(tokens.access_token);
  expect(await right.json()).toEqual({ owner: person.id, askedBy: calls.client.clientId, role: 'editor' });
  const metadata = `resource_metadata="${resource}/.well-known/oauth-protected-resource"`;
  for (const [token, status] of [
    [undefined, 401],
    [others.access_token, 401],
    [tokens.id_token, 401],
    [narrow.access_token, 403],
  ] as const) {
    const refused = await get(token);
    expect(refused.status).toBe(status);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer /);
    expect(refused.headers.get('www-authenticate')).toContain(metadata);
  }
  const described = await fetch(`${resource}/.well-known/oauth-protected-resource`);
  expect(await described.json()).toMatchObject({ resource, authorization_servers: [service.issuer] });

  const { createVerifier } = await import(await guide.write(joseSource, 'verify.mjs'));
  const verify = createVerifier({ issuer: service.issuer, resource });
  expect(await verify(tokens.access_token)).toMatchObject({ sub: person.id, scope });
  for (const token of [others.access_token, tokens.id_token, 'x'])
    await expect(verify(token)).rejects.toThrow();
});
