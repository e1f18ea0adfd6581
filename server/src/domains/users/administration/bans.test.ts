import { expect, describe, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator } from '../../../../test/harness/movements.ts';
import { logIn, registerPerson } from '../../../../test/harness/people.ts';
import { addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
const asAdmin = (method: string, path: string, body?: unknown) =>
  service.send(method, `/api/v1${path}`, { token: admin.token, ...(body === undefined ? {} : { body }) });

const trailOf = async (userId: string): Promise<Record<string, unknown>[]> =>
  (
    await owner.query('select action, reason, details from audit.events where target_id = $1 order by id', [
      userId,
    ])
  ).rows;

const inAnHour = () => new Date(service.clock.now().getTime() + 3_600_000).toISOString();

async function endBans(): Promise<void> {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'end-bans', {}));
  await service.ctx.jobs.runDue();
}

describe('bans', () => {
  test('end by themselves, to the minute, and stand in the trail', async () => {
    const dora = await registerPerson(service);
    const until = inAnHour();
    const banned = await asAdmin('POST', `/users/${dora.id}/ban`, { reason: 'Spam', until });
    const since = service.clock.now().toISOString();
    expect(banned.body).toMatchObject({ isActive: false, ban: { reason: 'Spam', since, until } });
    await service.ctx.jobs.runDue();
    await endBans();
    expect((await logIn(service, dora)).status).toBe(403);
    service.clock.advance({ hours: 1 });
    await endBans();
    expect((await logIn(service, dora)).status).toBe(200);
    const actions = (await trailOf(dora.id)).map(({ action }) => action);
    expect(actions).toEqual(['user.banned', 'user.ban_ended']);
  });

  test('for a time become lasting when the account is deactivated besides', async () => {
    const dora = await registerPerson(service);
    const until = inAnHour();
    await asAdmin('POST', `/users/${dora.id}/ban`, { reason: 'Spam', until });
    expect((await asAdmin('DELETE', `/users/${dora.id}?reason=For+good`)).status).toBe(200);
    const { body } = await asAdmin('GET', `/users/${dora.id}`);
    expect(body).toMatchObject({ isActive: false, ban: { reason: 'Spam', until: null } });
    const deactivated = (await trailOf(dora.id)).find(({ action }) => action === 'user.deactivated');
    expect(deactivated).toMatchObject({
      reason: 'For good',
      details: { bannedUntil: until },
    });
    // Nor does another ban for a time make less of it.
    await asAdmin('POST', `/users/${dora.id}/ban`, { reason: 'Spam', until });
    service.clock.advance({ hours: 1 });
    await endBans();
    expect((await logIn(service, dora)).status).toBe(403);
  });

  test('for good do not hide a deactivation from a later ban for a time', async () => {
    const dora = await registerPerson(service);
    await asAdmin('POST', `/users/${dora.id}/ban`, { reason: 'Spam' });
    for (const reason of ['Left', 'Twice'])
      expect((await asAdmin('DELETE', `/users/${dora.id}?reason=${reason}`)).status).toBe(200);
    const deactivated = (await trailOf(dora.id)).filter(({ action }) => action === 'user.deactivated');
    expect(deactivated).toEqual([expect.objectContaining({ reason: 'Left' })]);
    await asAdmin('POST', `/users/${dora.id}/ban`, { reason: 'Spam', until: inAnHour() });
    service.clock.advance({ hours: 1 });
    await endBans();
    expect((await logIn(service, dora)).status).toBe(403);
  });

  test.each([
    ['deactivated', (id: string) => asAdmin('DELETE', `/users/${id}`)],
    [
      'brought in',
      (id: string) => owner.query('update auth.users set is_active = false where id = $1', [id]),
    ],
  ])('leave an account inactive that was %s so before', async (_, end) => {
    const dora = await registerPerson(service);
    await end(dora.id);
    const since = service.clock.now().toISOString();
    const until = inAnHour();
    await asAdmin('POST', `/users/${dora.id}/ban`, { reason: 'Spam', until });
    service.clock.advance({ hours: 1 });
    await endBans();
    const { body } = await asAdmin('GET', `/users/${dora.id}`);
    expect(body).toMatchObject({ isActive: false, deactivatedAt: since, ban: null });
    expect((await trailOf(dora.id)).at(-1)).toMatchObject({
      action: 'user.ban_ended',
      details: { isActive: false },
    });
    await asAdmin('POST', `/users/${dora.id}/reactivate`, {});
    expect((await logIn(service, dora)).status).toBe(200);
  });

  test('for good last until somebody lifts them', async () => {
    const dora = await registerPerson(service);
    await asAdmin('POST', `/users/${dora.id}/ban`, { reason: 'Spam' });
    service.clock.advance({ days: 400 });
    await endBans();
    const admin2 = await addAdministrator(service);
    const path = `/api/v1/users/${dora.id}`;
    expect((await service.send('GET', path, { token: admin2.token })).body.isActive).toBe(false);
    service.clock.advance({ days: -400 });
    expect((await asAdmin('POST', `/users/${dora.id}/reactivate`, {})).body.ban).toBeNull();
    const lifted = (await trailOf(dora.id)).find(({ action }) => action === 'user.reactivated');
    expect(lifted?.details).toEqual({ wasBanned: true });
  });
});

test('whoever is erased is nobody, whatever is asked about them', async () => {
  const gone = await addWalletHolder(service);
  const erased = await service.send('DELETE', '/api/v1/users/me?erase=true', { token: gone.token, body: {} });
  expect(erased.status).toBe(200);
  const path = `/users/${gone.userId}`;
  const until = '9999-01-01';
  const answers = [
    await asAdmin('GET', path),
    await asAdmin('PUT', path, { name: 'Ghost' }),
    await asAdmin('PUT', `${path}/role`, { role: 'admin' }),
    await asAdmin('DELETE', path),
    await asAdmin('POST', `${path}/ban`, { reason: 'Spam', until }),
    await asAdmin('POST', `${path}/reactivate`, {}),
    await asAdmin('POST', `${path}/impersonate`, { reason: 'Look' }),
    await asAdmin('POST', `${path}/reset-factors`, { reason: 'Lost' }),
    await asAdmin('DELETE', `${path}/sessions`),
    await asAdmin('GET', `${path}/security-events`),
  ];
  for (const { status, body } of answers) expect([status, body.code]).toEqual([404, 'request.not_found']);
});
