import { expect, test } from 'vitest';
import { requestCalls } from '../../../test/harness/access-requests.ts';
import { addMember } from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';
import { dayOf, firstKeptDay } from './first-kept-day.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const { ask, deny, newApplication } = requestCalls(service);
const { ctx } = service;

const readStats = async (holder: WalletHolder, id: string) =>
  (await service.send('GET', `/api/v1/applications/${id}/stats`, { token: holder.token })).body.stats;
const signIn = ({ userId }: WalletHolder, applicationId: string) =>
  ctx.db.call('select apps.count_sign_ins($1, $2, $3, $4)', [
    [applicationId],
    [userId],
    dayOf(ctx, 0),
    firstKeptDay(ctx),
  ]);

test('an application is counted: members, open requests, and sign-ins on the last 30 days', async () => {
  const { ada, app } = await newApplication();
  expect(await readStats(ada, app.id)).toEqual({
    members: 1,
    admins: 1,
    pending: 0,
    signIns: 0,
    activeUsers: 0,
  });
  const [ben, cid] = [await addMember(service, app.id), await addMember(service, app.id)];
  for (const person of [ben, ben, ben, cid]) await signIn(person, app.id);
  const request = await ask(await addWalletHolder(service), { applicationId: app.id });
  await ask(await addWalletHolder(service), { applicationId: app.id });
  await deny(ada, request.body.accessRequest.id);
  expect(await readStats(ada, app.id)).toEqual({
    members: 3,
    admins: 1,
    pending: 1,
    signIns: 4,
    activeUsers: 2,
  });

  service.clock.advance({ days: 29 });
  await signIn(cid, app.id);
  expect(await readStats(ada, app.id)).toMatchObject({ signIns: 5, activeUsers: 2 });
  service.clock.advance({ days: 1 });
  expect(await readStats(ada, app.id)).toMatchObject({ signIns: 1, activeUsers: 1 });
});

test('sign-ins are forgotten after 35 days', async () => {
  const { ada, app } = await newApplication();
  await signIn(ada, app.id);
  service.clock.advance({ days: 36 });
  await signIn(ada, app.id);
  const { rows } = await owner.query('select count from apps.sign_ins where application_id = $1', [app.id]);
  expect(rows).toEqual([{ count: 1 }]);
});

test('sign-ins at once are all counted', async () => {
  const { ada, app } = await newApplication();
  await Promise.all(Array.from({ length: 10 }, () => signIn(ada, app.id)));
  expect(await readStats(ada, app.id)).toMatchObject({ signIns: 10, activeUsers: 1 });
});

test('the figures are for administrators of the application', async () => {
  const { app } = await newApplication();
  const ben = await addMember(service, app.id, 'editor');
  const stranger = await addWalletHolder(service);
  const path = `/api/v1/applications/${app.id}/stats`;
  const answers = [
    await service.send('GET', path, { token: ben.token }),
    await service.send('GET', path, { token: stranger.token }),
  ];
  expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
    [403, 'applications.admin_required'],
    [404, 'request.not_found'],
  ]);
});

test('the overview counts what one sees, and what waits for one', async () => {
  const { ada, app } = await newApplication();
  await ask(await addWalletHolder(service), { applicationId: app.id });
  const ben = await addMember(service, app.id, 'editor');
  const read = async (holder: WalletHolder) =>
    (await service.send('GET', '/api/v1/applications/stats', { token: holder.token })).body;
  expect(await read(ada)).toEqual({ total: 1, active: 1, pending: 1 });
  expect(await read(ben)).toEqual({ total: 1, active: 1, pending: 0 });
});
