import { expect, test } from 'vitest';
import { requestCalls } from '../../../test/harness/access-requests.ts';
import { addMember } from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { mandateCalls } from '../../../test/harness/mandates.ts';
import { connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';
import { enterApplication, findClient, recordConsent } from './index.ts';

// What ends with a person's access to an application, and with the application itself.

const service = await startTestService();
const owner = await connectAsOwner(service);
const { ask, newApplication } = requestCalls(service);
const { ctx } = service;

const send = (holder: WalletHolder, method: string, path: string, body?: unknown) =>
  service.send(method, `/api/v1/applications${path}`, {
    token: holder.token,
    ...(body === undefined ? {} : { body }),
  });

/** An application that spends for two of its members, who have consented to it. */
async function spendingApplication() {
  const { ada, app } = await newApplication();
  const people = [];
  for (let number = 0; number < 2; number++) {
    const person = await addMember(service, app.id, 'editor');
    const { userId } = person;
    const consent = {
      applicationId: app.id,
      userId,
      scopes: ['openid'],
      claims: [],
      authorizationDetails: [],
    };
    await ctx.db.asService((tx) => recordConsent(ctx, tx, consent));
    const calls = mandateCalls(service, app, () => person);
    await calls.given();
    people.push({ person, calls });
  }
  const [ben, cid] = people;
  return { ada, app, ben: ben!, cid: cid! };
}

async function stateOf({ userId }: WalletHolder, { clientId }: { clientId: string }) {
  const { rows } = await owner.query(
    `select (select array_agg(g.revoked_at is null) from apps.grants g
               join apps.applications a on a.id = g.application_id
              where g.user_id = $1 and a.client_id = $2) as grants,
            (select array_agg(m.status) from credits.mandates m where m.wallet_id = $1 and m.app_id = $2) as mandates`,
    [userId, clientId],
  );
  return rows[0];
}

test('who is put out of an application has consented to nothing any more, and it spends nothing of theirs', async () => {
  const { ada, app, ben, cid } = await spendingApplication();
  expect((await ben.calls.use()).status).toBe(200);
  expect((await send(ada, 'DELETE', `/${app.id}/users/${ben.person.userId}`)).status).toBe(200);
  expect(await ben.calls.use()).toMatchObject({ status: 403, body: { code: 'mandate.required' } });
  expect(await stateOf(ben.person, app)).toEqual({ grants: [false], mandates: ['revoked'] });
  expect((await cid.calls.use()).status).toBe(200);
  expect(await stateOf(cid.person, app)).toEqual({ grants: [true], mandates: ['active'] });
  const trail = await service.send('GET', '/api/v1/auth/security-events', { token: ben.person.token });
  expect(JSON.stringify(trail.body)).toContain('access.removed');
});

test('a role that changes stands in the trail of the person, the same one does not', async () => {
  const { ada, app, ben } = await spendingApplication();
  const change = (role: string) => send(ada, 'PUT', `/${app.id}/users/${ben.person.userId}`, { role });
  await change('editor');
  await change('admin');
  const { body } = await service.send('GET', '/api/v1/auth/security-events', { token: ben.person.token });
  expect(JSON.stringify(body).split('access.role_changed')).toHaveLength(2);
});

test('with an application ends what it may do for anybody, and what happened stays in the trail', async () => {
  const { ada, app, ben, cid } = await spendingApplication();
  const asking = await addMember(service, (await newApplication()).app.id);
  await ask(asking, { applicationId: app.id });
  expect((await send(ada, 'DELETE', `/${app.id}`)).status).toBe(200);
  for (const { person, calls } of [ben, cid]) {
    expect((await calls.use()).status).toBe(401);
    expect(await stateOf(person, app)).toEqual({ grants: null, mandates: ['revoked'] });
  }
  const { rows } = await owner.query(
    `select from apps.memberships where application_id = $1
     union all select from apps.access_requests where application_id = $1
     union all select from apps.application_secrets where application_id = $1
     union all select from apps.grants where application_id = $1`,
    [app.id],
  );
  expect(rows).toEqual([]);
  const { rows: trail } = await owner.query(
    `select details from audit.events where target_id = $1 and action = 'application.deleted'`,
    [app.id],
  );
  expect(trail).toEqual([{ details: { clientId: app.clientId, name: 'Notes' } }]);
});

test('mail that waits when its application is deleted is not sent', async () => {
  const { ada, app } = await newApplication();
  const asking = await addMember(service, (await newApplication()).app.id);
  await ask(asking, { applicationId: app.id });
  await send(ada, 'DELETE', `/${app.id}`);
  expect(await service.mails(`${ada.userId}@example.com`)).toEqual([]);
  const { rows } = await owner.query(`select from pgboss.job where state in ('failed', 'retry')`);
  expect(rows).toEqual([]);
});

async function enter(clientId: string, { userId }: WalletHolder) {
  return ctx.db.asService(async (tx) => {
    const application = await findClient(tx, clientId);
    return application && enterApplication(ctx, tx, application, userId);
  });
}

test('a closed application lets in its members only, and says how the others stand', async () => {
  const { ada, app } = await newApplication();
  const ben = await addMember(service, (await newApplication()).app.id);
  expect(await enter(app.clientId, ada)).toEqual({ outcome: 'entered', role: 'admin' });
  expect(await enter(app.clientId, ben)).toEqual({ outcome: 'access_required', request: 'none' });
  const { id } = (await ask(ben, { applicationId: app.id })).body.accessRequest;
  expect(await enter(app.clientId, ben)).toEqual({ outcome: 'access_required', request: 'pending' });
  await service.send('PUT', `/api/v1/access-requests/${id}/deny`, { token: ada.token });
  expect(await enter(app.clientId, ben)).toEqual({ outcome: 'access_required', request: 'denied' });
});

test('an open application makes a member of whoever comes, which settles what they asked for before', async () => {
  const { ada, app } = await newApplication({ roles: ['editor', 'viewer'], defaultRole: 'viewer' });
  const ben = await addMember(service, (await newApplication()).app.id);
  await ask(ben, { applicationId: app.id });
  await send(ada, 'PUT', `/${app.id}`, { access: 'open' });
  const entries = await Promise.all([1, 2, 3].map(() => enter(app.clientId, ben)));
  expect(entries).toEqual(entries.map(() => ({ outcome: 'entered', role: 'viewer' })));
  const mine = await service.send('GET', '/api/v1/access-requests/mine', { token: ben.token });
  expect(mine.body.accessRequests).toMatchObject([{ status: 'approved', role: 'viewer' }]);
  await send(ada, 'PUT', `/${app.id}`, { access: 'closed' });
  expect(await enter(app.clientId, ben)).toEqual({ outcome: 'entered', role: 'viewer' });
  await send(ada, 'PUT', `/${app.id}`, { isActive: false });
  expect(await enter(app.clientId, ben)).toBeUndefined();
});
