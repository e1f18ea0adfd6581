import { beforeEach, expect, test } from 'vitest';
import { OauthCalls } from '../../../../test/harness/oauth-flow.ts';
import { expectPage, newPkce, startTestProvider, TestBrowser } from '../../../../test/harness/oauth.ts';
import { registerPerson } from '../../../../test/harness/people.ts';
import { startReceiver } from '../../../../test/harness/receiver.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import { createRefreshDescribedClient } from './refresh-described-client.ts';

const receiver = await startReceiver();
const env = { OAUTH_REGISTRATION: 'open', OAUTH_CLIENT_DOCUMENTS: 'true', WEBHOOK_ALLOW_LOOPBACK: 'true' };
const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
const service = await startTestProvider({ env, resolve });
/** The same, where it counts who asks how often. */
const limited = await startTestProvider({
  env: { ...env, RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_MAX: '1000' },
  resolve,
});
const owner = await connectAsOwner(service);
const redirectUri = 'https://tool.example.com/callback';
const { port } = new URL(receiver.url);

beforeEach(() => {
  receiver.received.length = 0;
  receiver.reply = (response) => {
    const client_id = `http://localhost:${port}${response.req.url}`;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ client_id, client_name: 'A tool', redirect_uris: [redirectUri] }));
  };
});

const documentAt = (name: string) => `http://localhost:${port}/${name}.json`;
const authorizeUrl = (clientId: string, at = service) => {
  const pkce = { code_challenge: newPkce().challenge, code_challenge_method: 'S256' };
  return new OauthCalls(at, { clientId, redirectUri }).authorizeUrl(pkce);
};
const ask = (clientId: string, at = service) => new TestBrowser(at).request(authorizeUrl(clientId, at));
const register = async (name: string, at = service): Promise<string> => {
  const body = { client_name: name, redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };
  return (await at.send('POST', '/oauth/register', { body })).body.client_id;
};
const knownClients = async (): Promise<string[]> => {
  const { rows } = await owner.query(
    'select client_id from apps.applications order by created_at, client_id',
  );
  return rows.map(({ client_id: clientId }) => clientId);
};
const cleanUp = async () => {
  await owner.query(`select obol.enqueue_job('clean-up-oauth', '{}')`);
  await service.ctx.jobs.runDue();
};

test('an address brings twenty applications along in an hour, whichever way; known ones go on', async () => {
  await register('A registered tool', limited);
  for (let count = 1; count < 20; count++) {
    expect((await ask(documentAt(`tool-${count}`), limited)).status).toBe(303);
  }
  const refused = await ask(documentAt('tool-20'), limited);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, expect.any(String)]);
  const calls = new OauthCalls(limited, { clientId: documentAt('tool-21') });
  const refusedElsewhere = await calls.post('/oauth/token', {
    grant_type: 'refresh_token',
    refresh_token: 'x',
  });
  expect(refusedElsewhere.status).toBeGreaterThanOrEqual(400);
  expect(refusedElsewhere.status).toBeLessThan(500);
  expect(receiver.received).toHaveLength(19);
  expect((await ask(documentAt('tool-1'), limited)).status).toBe(303);
  const again = await ask(documentAt('tool-20'), limited);
  expect(again.status).toBe(429);
});

test('its document is read once, however many ask for it at the same time', async () => {
  const clientId = documentAt('in-demand');
  const askOften = async () =>
    (await Promise.all(Array.from({ length: 24 }, () => ask(clientId)))).map(({ status }) => status);
  expect(new Set(await askOften())).toEqual(new Set([303]));
  expect(receiver.received).toHaveLength(1);
  service.clock.advance({ minutes: 61 });
  expect(new Set(await askOften())).toEqual(new Set([303]));
  expect(receiver.received).toHaveLength(2);
  receiver.reply = (response) => response.writeHead(503).end();
  service.clock.advance({ minutes: 61 });
  expect(new Set(await askOften())).toEqual(new Set([303]));
  expect(receiver.received).toHaveLength(3);
});

test('of more documents that fail than are remembered, only the oldest is asked for again', async () => {
  const asked: string[] = [];
  const refresh = createRefreshDescribedClient(service.ctx, {
    countRegistration: async () => {},
    resolve: async (host) => {
      asked.push(host);
      throw new Error('there is no such host');
    },
  });
  const refreshAt = (count: number) => refresh(`https://host-${count}.example/client.json`);
  for (let count = 0; count <= 1000; count++) await refreshAt(count);
  expect(asked).toHaveLength(1001);
  await refreshAt(1);
  await refreshAt(1000);
  expect(asked).toHaveLength(1001);
  await refreshAt(0);
  expect(asked).toHaveLength(1002);
});

test('those that nobody consents to are gone after thirty days, the others stay', async () => {
  await owner.query('delete from apps.applications');
  const person = await registerPerson(service);
  const [used, verified, unused] = [
    await register('Used'),
    await register('Verified'),
    await register('Unused'),
  ];
  expect((await ask(documentAt('described'))).status).toBe(303);
  const consenting = new OauthCalls(service, { clientId: used, redirectUri });
  await consenting.obtainTokens({}, { person });
  await owner.query('update apps.applications set is_verified = true where client_id = $1', [verified]);
  service.clock.advance({ days: 29 });
  await cleanUp();
  expect(await knownClients()).toHaveLength(4);
  service.clock.advance({ days: 2 });
  const fresh = await register('Fresh');
  await cleanUp();
  expect(new Set(await knownClients())).toEqual(new Set([used, verified, fresh]));
  expectPage(await new TestBrowser(service).open(authorizeUrl(unused)), 'error');
  expectPage(await new TestBrowser(service).open(authorizeUrl(documentAt('described'))), 'sign-in');
});

test('applications of people stay, also when their owner is gone', async () => {
  await owner.query('delete from apps.applications');
  await register('Unused');
  await owner.query(
    `insert into apps.applications (id, client_id, name, redirect_uris, roles, default_role, created_at, updated_at)
     values (gen_random_uuid(), 'app_of_a_person', 'Notes', '{}', '{admin,user}', 'user', $1, $1)`,
    [service.clock.now()],
  );
  service.clock.advance({ days: 31 });
  await cleanUp();
  expect(await knownClients()).toEqual(['app_of_a_person']);
});
