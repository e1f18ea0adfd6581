import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  addMember,
  registerApplication,
  type TestApplication,
} from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';
import { recordConsent } from '../index.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const { ctx } = service;

const base = '/api/v1/users/me/grants';
const list = async ({ token }: WalletHolder, query = '') => service.send('GET', `${base}${query}`, { token });
const disconnect = ({ token }: WalletHolder, id: string) =>
  service.send('DELETE', `${base}/${id}`, { token });

/** Consents like the page of the provider does. */
function consent(holder: WalletHolder, app: TestApplication, scopes = ['openid', 'credits:spend']) {
  const details = [
    { type: 'credits_spend', allowance: 500 },
    { type: 'note', read: true },
  ];
  return ctx.db.asService((tx) =>
    recordConsent(ctx, tx, {
      applicationId: app.id,
      userId: holder.userId,
      scopes,
      claims: [],
      authorizationDetails: details,
    }),
  );
}

async function connected() {
  const ada = await addWalletHolder(service);
  const app = await registerApplication(service, ada.token, {
    access: 'open',
    logoUri: 'https://notes.example.com/logo.png',
  });
  const ben = await addMember(service, app.id, 'editor');
  const { grantId } = await consent(ben, app);
  return { ada, app, ben, grantId, mandates: mandateCalls(service, app, () => ben) };
}

test('a person sees the apps that they have let in, and how much of each budget is used', async () => {
  const { app, ben, grantId, mandates } = await connected();
  const mandate = await mandates.given({ allowance: 100, period: 'month', maxPerSpend: 50 });
  expect((await mandates.use({ amount: 30 })).status).toBe(200);
  const { status, body, headers } = await list(ben);
  expect([status, headers.get('x-total-count')]).toEqual([200, '1']);
  expect(body.grants).toEqual([
    {
      id: grantId,
      application: {
        id: app.id,
        clientId: app.clientId,
        name: 'Notes',
        logoUri: 'https://notes.example.com/logo.png',
        clientUri: null,
        policyUri: null,
        termsUri: null,
        isVerified: false,
      },
      scopes: ['openid', 'credits:spend'],
      authorizationDetails: [
        { type: 'note', read: true },
        {
          type: 'credits_spend',
          mandateId: mandate.id,
          allowance: 100,
          period: 'month',
          maxPerSpend: 50,
          kinds: ['free', 'paid'],
          expiresAt: null,
          used: 30,
          remaining: 70,
          resetsAt: '2026-04-01T00:00:00.000Z',
          status: 'active',
        },
      ],
      firstUsedAt: service.clock.now().toISOString(),
      lastUsedAt: null,
    },
  ]);
});

test('what is shown of a budget is what holds now, in this period', async () => {
  const { ben, mandates } = await connected();
  const mandate = await mandates.given({ allowance: 100, period: 'day' });
  await mandates.use({ amount: 30 });
  await mandates.change(mandate.id, { allowance: 200, status: 'paused' });
  service.clock.advance({ days: 1 });
  const [, budget] = (await list(ben)).body.grants[0].authorizationDetails;
  expect(budget).toMatchObject({ allowance: 200, used: 0, remaining: 200, status: 'paused' });
});

test('an app that is put out spends nothing more and is listed no more; a second time there is nothing to end', async () => {
  const { app, ben, grantId, mandates } = await connected();
  await mandates.given();
  expect((await mandates.use()).status).toBe(200);
  expect((await disconnect(ben, grantId)).status).toBe(200);
  expect(await mandates.use()).toMatchObject({
    status: 403,
    body: { code: 'mandate.required', reason: 'revoked' },
  });
  expect((await list(ben)).body.grants).toEqual([]);
  expect(await disconnect(ben, grantId)).toMatchObject({ status: 404, body: { code: 'request.not_found' } });
  const { rows } = await owner.query(
    `select action, actor_id from audit.events where target_id = $1 and action = 'grant.revoked'`,
    [app.id],
  );
  expect(rows).toEqual([{ action: 'grant.revoked', actor_id: ben.userId }]);
  const trail = await service.send('GET', '/api/v1/auth/security-events', { token: ben.token });
  expect(JSON.stringify(trail.body)).toContain('grant.revoked');
  expect((await service.send('GET', `/api/v1/applications/${app.id}`, { token: ben.token })).status).toBe(
    200,
  );
});

test('it touches neither the same app at others nor other apps', async () => {
  const { app, ben, grantId, mandates } = await connected();
  await mandates.given();
  const cid = await addMember(service, app.id, 'editor');
  await consent(cid, app);
  const ofCid = mandateCalls(service, app, () => cid);
  await ofCid.given();
  const other = await registerApplication(service, ben.token);
  await consent(ben, other);
  const ofOther = mandateCalls(service, other, () => ben);
  await ofOther.given();
  await disconnect(ben, grantId);
  expect((await ofCid.use()).status).toBe(200);
  expect((await ofOther.use()).status).toBe(200);
  expect((await list(cid)).body.grants).toHaveLength(1);
  expect((await list(ben)).body.grants).toMatchObject([{ application: { clientId: other.clientId } }]);
});

test("nobody sees or ends somebody else's grant, which answers like one that does not exist", async () => {
  const { ada, ben, grantId } = await connected();
  expect((await list(ada)).body.grants).toEqual([]);
  const [foreign, absent] = [await disconnect(ada, grantId), await disconnect(ada, randomUUID())];
  expect([foreign.status, absent.status]).toEqual([404, 404]);
  expect(foreign.body.code).toBe(absent.body.code);
  expect((await list(ben)).body.grants).toHaveLength(1);
  for (const [method, path] of [
    ['GET', base],
    ['DELETE', `${base}/${grantId}`],
  ] as const) {
    expect((await service.send(method, path)).status).toBe(401);
  }
});

test('of two who put it out at once one has done it', async () => {
  for (let round = 0; round < 5; round++) {
    const { ben, grantId } = await connected();
    const answers = await Promise.all([1, 2, 3].map(() => disconnect(ben, grantId)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404, 404]);
  }
});

test('the list is paged, newest first', async () => {
  const ben = await addWalletHolder(service);
  for (const name of ['First', 'Second', 'Third']) {
    await consent(ben, await registerApplication(service, ben.token, { name }));
    service.clock.advance({ seconds: 1 });
  }
  const page = await list(ben, '?limit=2');
  expect(page.body.grants.map(({ application }: any) => application.name)).toEqual(['Third', 'Second']);
  expect(page.headers.get('x-total-count')).toBe('3');
  expect(page.headers.get('link')).toContain('offset=2');
});
