import { expect, test } from 'vitest';
import { basicHeaders, registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);

const send = (holder: WalletHolder, method: string, path: string, body?: unknown) =>
  service.send(method, `/api/v1/applications${path}`, {
    token: holder.token,
    ...(body === undefined ? {} : { body }),
  });
const showSelf = (headers: Record<string, string>) =>
  service.send('GET', '/api/v1/applications/me', { headers });

const verify = (holder: WalletHolder, id: string) =>
  send(holder, 'PUT', `/${id}/verification`, { isVerified: true });

async function newApplication(given: Record<string, unknown> = {}) {
  const ada = await addWalletHolder(service);
  const app = await registerApplication(service, ada.token, given);
  return { ada, app, change: (body: unknown) => send(ada, 'PUT', `/${app.id}`, body) };
}

test('an application that stops keeping a secret loses its secrets, and what only those can do', async () => {
  const { app, change } = await newApplication({
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
    tokenEndpointAuthMethod: 'client_secret_post',
    pkceRequired: false,
  });
  const { status, body } = await change({ type: 'public' });
  expect(status).toBe(200);
  expect(body.application).toMatchObject({
    type: 'public',
    clientSecret: null,
    tokenEndpointAuthMethod: 'none',
    grantTypes: ['authorization_code', 'refresh_token'],
    pkceRequired: true,
  });
  expect((await showSelf(app.headers)).status).toBe(401);
  const { rows } = await owner.query('select from apps.application_secrets where application_id = $1', [
    app.id,
  ]);
  expect(rows).toEqual([]);
});

test('an application that begins to keep a secret is given one, shown this once', async () => {
  const { app, change } = await newApplication({ type: 'public' });
  const { body } = await change({ type: 'confidential' });
  const { clientSecret, ...shown } = body.application;
  expect(shown).toMatchObject({ type: 'confidential', tokenEndpointAuthMethod: 'client_secret_basic' });
  expect((await showSelf(basicHeaders(app.clientId, clientSecret))).status).toBe(200);
  expect((await change({ name: 'Papers' })).body.application).not.toHaveProperty('clientSecret');
});

test('one that can do nothing but what a secret permits signs people in when it loses it', async () => {
  const { change } = await newApplication({ grantTypes: ['client_credentials'] });
  const { body } = await change({ type: 'native' });
  expect(body.application.grantTypes).toEqual(['authorization_code', 'refresh_token']);
});

test('redirect addresses that the new type does not permit have to go first', async () => {
  const scheme = 'com.example.notes:/callback';
  const { change } = await newApplication({
    type: 'native',
    redirectUri: undefined,
    redirectUris: ['https://notes.example.com/callback', scheme],
    postLogoutRedirectUris: [scheme],
  });
  const refused = await change({ type: 'confidential' });
  expect(refused).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
  const postLogoutRedirectUris: string[] = [];
  const stillRefused = await change({ type: 'confidential', postLogoutRedirectUris });
  expect(stillRefused.body.errors).toMatchObject([{ path: '/body/redirectUris/1' }]);
  const redirectUris = ['https://notes.example.com/callback'];
  const moved = await change({ type: 'confidential', redirectUris, postLogoutRedirectUris });
  expect(moved.body.application).toMatchObject({ type: 'confidential', redirectUris });
});

test('only administrators of the service say who is verified, and it lasts as long as the looks do', async () => {
  const { ada, app, change } = await newApplication();
  const refused = await verify(ada, app.id);
  expect([refused.status, refused.body.code]).toEqual([403, 'auth.admin_required']);
  const operator = await addWalletHolder(service);
  await owner.query(`update auth.users set role = 'admin' where id = $1`, [operator.userId]);
  expect((await verify(operator, app.id)).body.application.isVerified).toBe(true);
  expect((await verify(operator, operator.userId)).status).toBe(404);

  expect(
    (await change({ isVerified: false, contacts: ['ops@example.com'] })).body.application.isVerified,
  ).toBe(true);
  const [first, second] = ['https://notes.example.com/a', 'https://evil.example.com/b'];
  await change({ redirectUris: [`${first},${second}`] });
  const looks = [
    { redirectUris: [first, second] },
    { name: 'My Bank' },
    { policyUri: 'https://notes.example.com/privacy' },
    { termsUri: 'https://notes.example.com/terms' },
    { type: 'public' },
    { logoUri: 'https://notes.example.com/bank.png' },
    { clientUri: 'https://notes.example.com/bank' },
    { redirectUris: ['https://bank.example.com/'] },
  ];
  for (const look of looks) {
    await verify(operator, app.id);
    expect((await change(look)).body.application.isVerified, JSON.stringify(look)).toBe(false);
  }
  const { rows } = await owner.query(
    `select count(*)::int as count from audit.events where target_id = $1 and action = 'application.verified'`,
    [app.id],
  );
  expect(rows).toEqual([{ count: looks.length + 1 }]);
});
