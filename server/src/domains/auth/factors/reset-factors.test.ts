import { expect, test } from 'vitest';
import { registerWithTotp, signInWithTotp } from '../../../../test/harness/factors.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator } from '../../../../test/harness/movements.ts';
import { logIn, registerPerson } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import { resetFactorsByOperator } from './reset-factors-by-operator.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const reason = 'Showed a passport.';

const auditOf = async (userId: string) =>
  (
    await owner.query(
      `select actor_type, actor_id, reason, ip_address from audit.events
        where target_id = $1 and action = 'user.factors_reset'`,
      [userId],
    )
  ).rows;

/** A person whose factors were removed gets in by the password alone, and knows of it. */
async function expectReset(
  holder: Awaited<ReturnType<typeof registerWithTotp>>,
  accessToken: string,
): Promise<void> {
  expect((await service.send('GET', '/api/v1/auth/me', { token: accessToken })).status).toBe(401);
  const { body } = await logIn(service, holder);
  const events = await service.send('GET', '/api/v1/auth/security-events', { token: body.accessToken });
  expect(events.body.events.map(({ type }: { type: string }) => type)).toContain('factors.reset');
  const subjects = (await service.mails(holder.email)).map(({ subject }) => subject);
  expect(subjects).toContain('Your Obol second factors were removed');
}

test('an operator removes lost factors: sessions end, the address is told, the audit trail knows why', async () => {
  const holder = await registerWithTotp(service);
  const { accessToken } = await signInWithTotp(service, holder);
  await resetFactorsByOperator(service.ctx, { email: holder.email, reason });
  await expectReset(holder, accessToken);
  expect(await auditOf(holder.id)).toEqual([
    { actor_type: 'operator', actor_id: null, reason, ip_address: null },
  ]);
});

const signedInAnHourAgo = (sessionId: string) =>
  owner.query(`update auth.sessions set created_at = created_at - interval '1 hour' where id = $1`, [
    sessionId,
  ]);

const resetBy = (token: string, userId: string, body: unknown = { reason }) =>
  service.send('POST', `/api/v1/users/${userId}/reset-factors`, { token, body });

test('so does an administrator, whose name and address the trail knows', async () => {
  const admin = await addAdministrator(service);
  const holder = await registerWithTotp(service);
  const { accessToken } = await signInWithTotp(service, holder);
  expect((await resetBy(accessToken, holder.id)).body.code).toBe('auth.admin_required');
  expect((await resetBy(admin.token, holder.id, {})).body.code).toBe('request.invalid');
  expect(await auditOf(holder.id)).toEqual([]);
  await signedInAnHourAgo(admin.sessionId);
  expect(await resetBy(admin.token, holder.id)).toMatchObject({ status: 200, body: { success: true } });
  await expectReset(holder, accessToken);
  expect(await auditOf(holder.id)).toEqual([
    { actor_type: 'user', actor_id: admin.userId, reason, ip_address: '127.0.0.1' },
  ]);
});

test('but not of themselves, nor of who is inactive, and of another administrator after a recent sign-in', async () => {
  const admin = await addAdministrator(service);
  const refused = { status: 409, body: { code: 'users.reset_refused' } };
  expect(await resetBy(admin.token, admin.userId)).toMatchObject(refused);
  const idle = await registerPerson(service);
  await owner.query('update auth.users set is_active = false where id = $1', [idle.id]);
  expect(await resetBy(admin.token, idle.id)).toMatchObject(refused);
  const other = await registerWithTotp(service);
  await owner.query(`update auth.users set role = 'admin' where id = $1`, [other.id]);
  await signedInAnHourAgo(admin.sessionId);
  expect((await resetBy(admin.token, other.id)).body.code).toBe('auth.step_up_required');
  expect((await logIn(service, other)).body.twoFactorRequired).toBe(true);
  await owner.query('update auth.sessions set authenticated_at = $1 where id = $2', [
    service.clock.now(),
    admin.sessionId,
  ]);
  expect((await resetBy(admin.token, other.id)).status).toBe(200);
  expect((await logIn(service, other)).body.accessToken).toBeDefined();
});

test('nobody has an unknown address', async () => {
  const reset = resetFactorsByOperator(service.ctx, { email: 'nobody@example.com', reason: 'None.' });
  await expect(reset).rejects.toMatchObject({ code: 'users.unknown_email' });
});
