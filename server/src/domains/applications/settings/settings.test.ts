import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);

const send = (holder: WalletHolder, method: string, path: string, body?: unknown) =>
  service.send(method, `/api/v1/applications${path}`, {
    token: holder.token,
    ...(body === undefined ? {} : { body }),
  });

async function newApplication(given: Record<string, unknown> = {}) {
  const ada = await addWalletHolder(service);
  const app = await registerApplication(service, ada.token, given);
  const change = (body: unknown, by: WalletHolder = ada) => send(by, 'PUT', `/${app.id}`, body);
  const read = async () => (await send(ada, 'GET', `/${app.id}`)).body.application;
  return { ada, app, change, read };
}

const publicKey = (modulusLength = 2048) =>
  generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' });
const rsaKey = { ...publicKey(), kid: 'notes-1', use: 'sig' };
const resource = () => `https://${randomUUID()}.example.com/api`;
const api = (identifier = resource()) => ({ identifier, scopes: ['notes:read'], clients: [] });

const safeDefaults = {
  postLogoutRedirectUris: [],
  backchannelLogoutUri: null,
  grantTypes: ['authorization_code', 'refresh_token'],
  tokenEndpointAuthMethod: 'client_secret_basic',
  jwks: null,
  jwksUri: null,
  idTokenAlgorithm: 'RS256',
  logoUri: null,
  clientUri: null,
  policyUri: null,
  termsUri: null,
  contacts: [],
  pkceRequired: true,
  dpopBound: false,
  resources: [],
  isVerified: false,
};

test('what is not said has a safe default', async () => {
  const { read } = await newApplication();
  expect(await read()).toMatchObject(safeDefaults);
  const { read: readPublic } = await newApplication({ type: 'public' });
  expect(await readPublic()).toMatchObject({ ...safeDefaults, tokenEndpointAuthMethod: 'none' });
});

test('every setting is kept as it was given, at the registration and later', async () => {
  const settings = {
    postLogoutRedirectUris: ['https://notes.example.com/goodbye', 'http://localhost:3000/'],
    backchannelLogoutUri: 'https://notes.example.com/backchannel',
    grantTypes: ['authorization_code', 'client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'],
    tokenEndpointAuthMethod: 'private_key_jwt',
    jwks: { keys: [rsaKey] },
    idTokenAlgorithm: 'EdDSA',
    logoUri: 'https://notes.example.com/logo.png',
    clientUri: 'https://notes.example.com/',
    policyUri: 'https://notes.example.com/privacy',
    termsUri: 'https://notes.example.com/terms',
    contacts: ['ops@example.com'],
    pkceRequired: false,
    dpopBound: true,
    resources: [api(), api(`urn:example:${randomUUID()}`)].toSorted((a, b) =>
      a.identifier < b.identifier ? -1 : 1,
    ),
  };
  const { read } = await newApplication(settings);
  expect(await read()).toMatchObject(settings);
  const { change, read: readChanged } = await newApplication();
  const later = { ...settings, resources: [api()] };
  expect((await change(later)).body.application).toMatchObject(later);
  expect(await readChanged()).toMatchObject(later);
  expect(
    (await change({ logoUri: null, jwks: null, jwksUri: 'https://notes.example.com/jwks' })).status,
  ).toBe(200);
  expect(await readChanged()).toMatchObject({
    logoUri: null,
    jwks: null,
    jwksUri: 'https://notes.example.com/jwks',
  });
});

const elsewhere = 'http://notes.example.com/';
const secretKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });

test.each<[string, Record<string, unknown>, string]>([
  ['a wildcard in a host', { redirectUris: ['https://*.example.com/callback'] }, '/body/redirectUris/0'],
  ['a wildcard in a path', { redirectUris: ['https://notes.example.com/*'] }, '/body/redirectUris/0'],
  ['https without its slashes', { redirectUris: ['https:notes.example.com'] }, '/body/redirectUris/0'],
  ['a way back by http', { postLogoutRedirectUris: [elsewhere] }, '/body/postLogoutRedirectUris/0'],
  [
    'a way back with a fragment',
    { postLogoutRedirectUris: ['https://a.example.com/#x'] },
    '/body/postLogoutRedirectUris/0',
  ],
  ['a logout address by http', { backchannelLogoutUri: elsewhere }, '/body/backchannelLogoutUri'],
  [
    'a logout address with a fragment',
    { backchannelLogoutUri: 'https://a.example.com/#x' },
    '/body/backchannelLogoutUri',
  ],
  ['a logo by http', { logoUri: 'http://localhost/logo.png' }, '/body/logoUri'],
  ['a logo that is data', { logoUri: 'data:image/png;base64,AAAA' }, '/body/logoUri'],
  ['a home page that is a script', { clientUri: 'javascript:alert(1)' }, '/body/clientUri'],
  ['a policy with a password', { policyUri: 'https://a:b@notes.example.com/' }, '/body/policyUri'],
  ['terms without a scheme', { termsUri: '//notes.example.com/terms' }, '/body/termsUri'],
  ['keys by http', { jwksUri: elsewhere }, '/body/jwksUri'],
  ['keys named twice', { jwks: { keys: [rsaKey] }, jwksUri: 'https://a.example.com/jwks' }, '/body/jwksUri'],
  ['a private key', { jwks: { keys: [secretKey] } }, '/body/jwks/keys/0'],
  ['a shared key', { jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, '/body/jwks/keys/0'],
  ['a key of a kind unheard of', { jwks: { keys: [{ kty: 'magic' }] } }, '/body/jwks/keys/0'],
  [
    'a key that cannot be read',
    { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }] } },
    '/body/jwks/keys/0',
  ],
  ['a key that is too short', { jwks: { keys: [publicKey(1024)] } }, '/body/jwks/keys/0'],
  ['no keys to sign with', { tokenEndpointAuthMethod: 'private_key_jwt' }, '/body/jwks'],
  ['no proof of who it is', { tokenEndpointAuthMethod: 'none' }, '/body/tokenEndpointAuthMethod'],
  ['the implicit grant', { grantTypes: ['implicit'] }, '/body/grantTypes/0'],
  ['the password grant', { grantTypes: ['password'] }, '/body/grantTypes/0'],
  ['no grant at all', { grantTypes: [] }, '/body/grantTypes'],
  ['a refresh of nothing', { grantTypes: ['client_credentials', 'refresh_token'] }, '/body/grantTypes'],
  ['an unsigned ID token', { idTokenAlgorithm: 'none' }, '/body/idTokenAlgorithm'],
  ['a contact that is none', { contacts: ['ops'] }, '/body/contacts/0'],
  [
    'eleven contacts',
    { contacts: Array.from({ length: 11 }, (_, n) => `${n}@example.com`) },
    '/body/contacts',
  ],
  [
    'an address that is too long',
    { clientUri: `https://a.example.com/${'a'.repeat(2000)}` },
    '/body/clientUri',
  ],
  [
    'twenty-one addresses',
    { redirectUris: Array.from({ length: 21 }, () => resource()) },
    '/body/redirectUris',
  ],
  ['a relative resource', { resources: ['/api'] }, '/body/resources/0'],
  ['a resource with a fragment', { resources: ['https://a.example.com/#x'] }, '/body/resources/0'],
  ['a resource by http', { resources: [elsewhere] }, '/body/resources/0'],
  ['a resource that is a script', { resources: ['javascript:alert(1)'] }, '/body/resources/0'],
  [
    'a resource named twice',
    { resources: ['urn:example:a', { identifier: 'urn:example:a' }] },
    '/body/resources/1',
  ],
  [
    'a scope that means something here',
    { resources: [{ identifier: 'urn:example:a', scopes: ['notes:read', 'credits:spend'] }] },
    '/body/resources/0/scopes/1',
  ],
  [
    'a client that nobody knows',
    { resources: [{ identifier: 'urn:example:a', clients: ['app_unknown'] }] },
    '/body/resources/0/clients/0',
  ],
])('%s is malformed, at the registration and later', async (_, given, path) => {
  const ada = await addWalletHolder(service);
  const body = { name: 'Notes', redirectUris: ['https://notes.example.com/callback'], ...given };
  const { change, read } = await newApplication();
  const before = await read();
  for (const answer of [await send(ada, 'POST', '', body), await change(given)]) {
    expect(answer).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
  }
  expect(await read()).toEqual(before);
});

test.each<[string, Record<string, unknown>, string]>([
  ['a secret', { tokenEndpointAuthMethod: 'client_secret_basic' }, '/body/tokenEndpointAuthMethod'],
  ['tokens of its own', { grantTypes: ['authorization_code', 'client_credentials'] }, '/body/grantTypes/1'],
  [
    'the exchange of tokens',
    { grantTypes: ['urn:ietf:params:oauth:grant-type:token-exchange'] },
    '/body/grantTypes/0',
  ],
  ['sign-ins without PKCE', { pkceRequired: false }, '/body/pkceRequired'],
])('who cannot keep a secret has no %s', async (_, given, path) => {
  for (const type of ['public', 'native']) {
    const { change } = await newApplication({ type });
    const refused = await change(given);
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  }
});

test('an API of this service itself cannot be claimed', async () => {
  const { ctx } = service;
  const { change } = await newApplication();
  for (const own of [ctx.config.jwtAudience, `${ctx.config.baseUrl}/`, `${ctx.config.baseUrl}/api/v1`]) {
    const refused = await change({ resources: [own] });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: '/body/resources/0' }] } });
  }
});

test('an API belongs to one application, and is free again when it lets go of it', async () => {
  const [first, second] = [await newApplication(), await newApplication()];
  const [wanted, other] = [resource(), resource()];
  expect((await first.change({ resources: [wanted, other] })).status).toBe(200);
  const refused = await second.change({ name: 'Other', resources: [other, resource(), wanted] });
  expect(refused).toMatchObject({ status: 409, body: { code: 'applications.resource_taken' } });
  expect(new Set(refused.body.resources)).toEqual(new Set([wanted, other]));
  expect(await second.read()).toMatchObject({ name: 'Notes', resources: [] });
  const created = await send(second.ada, 'POST', '', {
    name: 'Third',
    redirectUris: [],
    resources: [wanted],
  });
  expect([created.status, created.body.code]).toEqual([409, 'applications.resource_taken']);
  expect((await first.change({ resources: [other] })).status).toBe(200);
  expect((await second.change({ resources: [wanted] })).status).toBe(200);
  await send(first.ada, 'DELETE', `/${first.app.id}`);
  expect((await second.change({ resources: [wanted, other] })).status).toBe(200);
});

test('of applications that claim the same APIs at once one gets them all', async () => {
  for (let round = 0; round < 5; round++) {
    const apps = await Promise.all([1, 2, 3].map(() => newApplication()));
    const wanted = [resource(), resource(), resource()];
    const answers = await Promise.all(
      apps.map(({ change }, index) => change({ resources: index === 1 ? wanted.toReversed() : wanted })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'applications.resource_taken')).toHaveLength(2);
    const { rows } = await owner.query(
      'select distinct application_id from apps.resources where identifier = any ($1)',
      [wanted],
    );
    expect(rows).toHaveLength(1);
  }
});

test('an API is kept with its scopes and the clients that may call it; who is deleted is among them no more', async () => {
  const [caller, api] = [await newApplication(), await newApplication()];
  const identifier = resource();
  const whole = { identifier, scopes: ['notes:read', 'notes:write'], clients: [caller.app.clientId] };
  expect((await api.change({ resources: [whole] })).body.application.resources).toEqual([whole]);
  expect((await api.read()).resources).toEqual([whole]);
  expect((await api.change({ name: 'Other' })).body.application.resources).toEqual([whole]);
  await send(caller.ada, 'DELETE', `/${caller.app.id}`);
  expect((await api.read()).resources).toEqual([{ ...whole, clients: [] }]);
  expect((await api.change({ resources: [identifier] })).body.application.resources).toEqual([
    { identifier, scopes: [], clients: [] },
  ]);
});
