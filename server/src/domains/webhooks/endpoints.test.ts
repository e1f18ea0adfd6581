import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { addMember, registerApplication } from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { addEndpoint, loopbackEnv, verify, type TestEndpoint } from '../../../test/harness/webhooks.ts';
import { addWalletHolder, connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService({ env: loopbackEnv });
const strict = await startTestService({ shareDatabaseWith: service });
const { clock } = service;
const owner = await connectAsOwner(service);
const base = '/api/v1/webhooks';

async function ping(endpoint: TestEndpoint) {
  const { status, body } = await endpoint.send('POST', `/endpoints/${endpoint.id}/test`);
  expect(status).toBe(202);
  return body.delivery;
}

test('an administrator registers an endpoint and sees its secret this once', async () => {
  const ada = await addWalletHolder(service);
  const app = await registerApplication(service, ada.token);
  const { status, body } = await strict.send('POST', `${base}/endpoints`, {
    token: ada.token,
    body: { applicationId: app.id, url: 'https://notes.example.com/hook?x=1', description: 'Production' },
  });
  expect(status).toBe(201);
  const { secret, ...shown } = body.endpoint;
  expect(secret).toMatch(/^whsec_/);
  expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32);
  expect(shown).toEqual({
    id: expect.any(String),
    applicationId: app.id,
    url: 'https://notes.example.com/hook?x=1',
    eventTypes: null,
    lowBalance: 20,
    description: 'Production',
    isEnabled: true,
    disabledReason: null,
    firstFailedAt: null,
    createdAt: clock.now().toISOString(),
    updatedAt: clock.now().toISOString(),
  });
  const get = (path: string) => strict.send('GET', `${base}${path}`, { token: ada.token });
  expect((await get(`/endpoints/${shown.id}`)).body).toEqual({ endpoint: shown });
  expect((await get(`/endpoints?applicationId=${app.id}`)).body).toEqual({ endpoints: [shown] });
});

test('a secret is stored sealed', async () => {
  const { id, secret } = await addEndpoint(service);
  const { rows } = await owner.query(
    'select sealed_secret from webhooks.endpoint_secrets where endpoint_id = $1',
    [id],
  );
  expect(rows).toHaveLength(1);
  const stored: Buffer = rows[0].sealed_secret;
  expect(stored.includes(Buffer.from(secret))).toBe(false);
  expect(stored.includes(Buffer.from(secret.slice(6), 'base64'))).toBe(false);
});

test.each([
  ['plain http', 'http://notes.example.com/hook'],
  ['plain http on this machine', 'http://localhost:4000/hook'],
  ['this machine', 'https://127.0.0.1/hook'],
  ['this machine in IPv6', 'https://[::1]/hook'],
  ['this machine as a number', 'https://2130706433/hook'],
  ['this machine in octal', 'https://0177.0.0.1/hook'],
  ['this machine inside IPv6', 'https://[::ffff:127.0.0.1]/hook'],
  ['where clouds keep their metadata', 'https://169.254.169.254/latest/meta-data'],
  ['a private network', 'https://10.0.0.1/hook'],
  ['nowhere', 'https://0.0.0.0/hook'],
  ['credentials', 'https://user:password@notes.example.com/hook'],
  ['a fragment', 'https://notes.example.com/hook#x'],
  ['another scheme', 'ftp://notes.example.com/hook'],
  ['a file', 'file:///etc/passwd'],
  ['no address', 'notes.example.com/hook'],
])('an endpoint with %s is refused, also by a change', async (_, url) => {
  const ada = await addWalletHolder(service);
  const app = await registerApplication(service, ada.token);
  const send = (method: string, path: string, body: unknown) =>
    strict.send(method, `${base}${path}`, { token: ada.token, body });
  const refusal = { status: 400, body: { code: 'request.invalid', errors: [{ path: '/body/url' }] } };
  expect(await send('POST', '/endpoints', { applicationId: app.id, url })).toMatchObject(refusal);
  const good = await send('POST', '/endpoints', { applicationId: app.id, url: 'https://example.com/' });
  expect(await send('PATCH', `/endpoints/${good.body.endpoint.id}`, { url })).toMatchObject(refusal);
});

test.each([
  ['an unknown type', { eventTypes: ['credits.stolen'] }],
  ['no type at all', { eventTypes: [] }],
  ['a threshold between the steps', { lowBalance: 21 }],
  ['a threshold of nothing', { lowBalance: 0 }],
])('%s is malformed', async (_, change) => {
  const ada = await addWalletHolder(service);
  const app = await registerApplication(service, ada.token);
  const body = { applicationId: app.id, url: 'https://example.com/', ...change };
  const { status } = await service.send('POST', `${base}/endpoints`, { token: ada.token, body });
  expect(status).toBe(400);
});

test('what is named changes; an endpoint that is off hears nothing, and what it missed is not kept', async () => {
  const endpoint = await addEndpoint(service);
  const path = `/endpoints/${endpoint.id}`;
  const changes = { eventTypes: ['member.added'], lowBalance: 500, description: null, isEnabled: false };
  const off = await endpoint.send('PATCH', path, changes);
  expect(off.body.endpoint).toMatchObject({ ...changes, disabledReason: 'requested' });
  await addMember(service, endpoint.app.id);
  const test = await endpoint.send('POST', `${path}/test`);
  expect([test.status, test.body.code]).toEqual([409, 'webhooks.endpoint_disabled']);
  const on = await endpoint.send('PATCH', path, { isEnabled: true });
  expect(on.body.endpoint).toMatchObject({ isEnabled: true, disabledReason: null, lowBalance: 500 });
  expect(await endpoint.deliver()).toEqual([]);
  await addMember(service, endpoint.app.id);
  expect(await endpoint.deliver()).toMatchObject([{ type: 'member.added' }]);
});

test('what waits for an endpoint that was switched off or deleted is not sent', async () => {
  const [off, gone] = [await addEndpoint(service), await addEndpoint(service)];
  const waiting = await ping(off);
  await ping(gone);
  await off.send('PATCH', `/endpoints/${off.id}`, { isEnabled: false });
  expect((await gone.send('DELETE', `/endpoints/${gone.id}`)).status).toBe(200);
  expect([await off.deliver(), await gone.deliver()]).toEqual([[], []]);
  const { body } = await off.send('GET', `/deliveries/${waiting.id}`);
  expect(body.delivery).toMatchObject({ status: 'failed', attemptCount: 0, attempts: [] });
  expect((await gone.send('GET', `/endpoints/${gone.id}`)).status).toBe(404);
});

test('an application that is switched off hears nothing', async () => {
  const endpoint = await addEndpoint(service);
  await service.send('PUT', `/api/v1/applications/${endpoint.app.id}`, {
    token: endpoint.ada.token,
    body: { isActive: false },
  });
  await addMember(service, endpoint.app.id);
  expect(await endpoint.deliver()).toEqual([]);
});

test('while a secret is rotated both sign, each for itself', async () => {
  const endpoint = await addEndpoint(service);
  const { status, body } = await endpoint.send('POST', `/endpoints/${endpoint.id}/rotate-secret`, {
    overlapSeconds: 60,
  });
  expect(status).toBe(200);
  expect(body.secret).not.toBe(endpoint.secret);
  await ping(endpoint);
  const [during] = await endpoint.deliver();
  expect(String(during!.headers['webhook-signature']).split(' ')).toHaveLength(2);
  for (const secret of [endpoint.secret, body.secret]) verify(during!, secret, clock.now());

  clock.advance({ seconds: 60 });
  await ping(endpoint);
  const [, after] = await endpoint.deliver();
  verify(after!, body.secret, clock.now());
  expect(() => verify(after!, endpoint.secret, clock.now())).toThrow('No matching signature');
});

test('a secret that leaked ends at once, and rotating without a word keeps the old one for a day', async () => {
  const endpoint = await addEndpoint(service);
  const path = `/endpoints/${endpoint.id}/rotate-secret`;
  const usual = await endpoint.send('POST', path);
  expect(new Date(usual.body.previousExpireAt).getTime() - clock.now().getTime()).toBe(86_400_000);
  const { body } = await endpoint.send('POST', path, { overlapSeconds: 0 });
  await ping(endpoint);
  const [event] = await endpoint.deliver();
  verify(event!, body.secret, clock.now());
  for (const secret of [endpoint.secret, usual.body.secret]) {
    expect(() => verify(event!, secret, clock.now())).toThrow('No matching signature');
  }
});

test('an application has at most ten endpoints', async () => {
  const { app, ada, receiver } = await addEndpoint(service);
  const add = () =>
    service.send('POST', `${base}/endpoints`, {
      token: ada.token,
      body: { applicationId: app.id, url: receiver.url },
    });
  const answers = await Promise.all(Array.from({ length: 15 }, add));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(9);
  const refused = answers.filter(({ status }) => status !== 201);
  expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['webhooks.too_many_endpoints']));
});

/** Every call about an endpoint and one of its deliveries. */
const calls = (id: string, deliveryId: string, applicationId: string): [string, string, unknown?][] => [
  ['POST', '/endpoints', { applicationId, url: 'https://example.com/' }],
  ['GET', `/endpoints?applicationId=${applicationId}`],
  ['GET', `/endpoints/${id}`],
  ['PATCH', `/endpoints/${id}`, { isEnabled: false }],
  ['DELETE', `/endpoints/${id}`],
  ['POST', `/endpoints/${id}/rotate-secret`, {}],
  ['POST', `/endpoints/${id}/test`],
  ['GET', `/endpoints/${id}/deliveries`],
  ['GET', `/deliveries/${deliveryId}`],
  ['POST', `/deliveries/${deliveryId}/replay`],
];

test('strangers learn nothing, and members who are no administrators may do nothing', async () => {
  const endpoint = await addEndpoint(service);
  const delivery = await ping(endpoint);
  const [stranger, member] = [await addWalletHolder(service), await addMember(service, endpoint.app.id)];
  const codes = async (token: string, list: [string, string, unknown?][]) => {
    const answers = [];
    for (const [method, path, body] of list) {
      const answer = await service.send(method, `${base}${path}`, { token, ...(body ? { body } : {}) });
      answers.push([answer.status, answer.body.code, answer.body.detail]);
    }
    return answers;
  };
  const real = calls(endpoint.id, delivery.id, endpoint.app.id);
  const absent = calls(randomUUID(), randomUUID(), randomUUID());
  expect(await codes(stranger.token, real)).toEqual(await codes(stranger.token, absent));
  for (const [status, code] of await codes(member.token, real)) {
    expect([status, code]).toEqual([403, 'applications.admin_required']);
  }
  expect((await endpoint.send('GET', `/endpoints/${endpoint.id}`)).body.endpoint.isEnabled).toBe(true);
});

test('the trail tells who registered, changed, rotated and deleted what, without secrets', async () => {
  const endpoint = await addEndpoint(service);
  const steps: [string, string, unknown?][] = [
    ['PATCH', '', { description: 'Staging' }],
    ['POST', '/rotate-secret', {}],
    ['DELETE', ''],
  ];
  for (const [method, path, body] of steps) {
    clock.advance({ seconds: 1 });
    await endpoint.send(method, `/endpoints/${endpoint.id}${path}`, body);
  }
  const { rows } = await owner.query(
    `select action, actor_id, details from audit.events where target_id = $1 order by created_at`,
    [endpoint.id],
  );
  expect(rows.map(({ action }) => action)).toEqual([
    'endpoint.created',
    'endpoint.changed',
    'endpoint.secret_rotated',
    'endpoint.deleted',
  ]);
  expect(new Set(rows.map(({ actor_id: actor }) => actor))).toEqual(new Set([endpoint.ada.userId]));
  expect(JSON.stringify(rows)).not.toContain('whsec');
});
