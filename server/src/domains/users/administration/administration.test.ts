import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { makeKey, verifyKey } from '../../../../test/harness/api-keys.ts';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { codeOf, registerWithTotp, signInWithTotp, verifyCode } from '../../../../test/harness/factors.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator } from '../../../../test/harness/movements.ts';
import { logIn, registerPerson, signIn } from '../../../../test/harness/people.ts';
import { addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
const asAdmin = (method: string, path: string, body?: unknown) =>
  service.send(method, `/api/v1${path}`, { token: admin.token, ...(body === undefined ? {} : { body }) });

async function newPerson() {
  const person = await registerPerson(service);
  return { ...person, ...(await signIn(service, person)) };
}

const trailOf = async (userId: string): Promise<Record<string, unknown>[]> =>
  (
    await owner.query(
      `select action, actor_id, reason, ip_address, details from audit.events where target_id = $1 order by id`,
      [userId],
    )
  ).rows;

describe('rule 24: deactivating kills sessions, refresh tokens, API keys and grants at once', () => {
  test.each([
    ['an administrator deactivates', (id: string) => asAdmin('DELETE', `/users/${id}`)],
    ['an administrator bans', (id: string) => asAdmin('POST', `/users/${id}/ban`, { reason: 'Spam' })],
  ])('when %s, and nothing comes back with the activation', async (_, end) => {
    const cleo = await newPerson();
    const creator = await addWalletHolder(service);
    const app = await registerApplication(service, creator.token);
    const grantId = randomUUID();
    await owner.query(
      `insert into apps.grants (id, application_id, user_id, scopes, claims, authorization_details, created_at, updated_at)
       values ($1, $2, $3, '{openid}', '{}', '[]', $4, $4)`,
      [grantId, app.id, cleo.id, service.clock.now()],
    );
    const mandate = { appId: app.clientId, allowance: 10, period: 'month' };
    const token = cleo.accessToken;
    expect((await service.send('POST', '/api/v1/credits/mandates', { token, body: mandate })).status).toBe(
      201,
    );
    const { key } = await makeKey(service, token, { budget: { allowance: 10 } });

    expect((await end(cleo.id)).status).toBe(200);
    const dead = async () => {
      expect((await service.send('GET', '/api/v1/auth/me', { token })).body.code).toBe('auth.session_ended');
      const { body } = await service.send('POST', '/api/v1/auth/refresh', {
        body: { refreshToken: cleo.refreshToken },
      });
      expect(body.code).toBe('auth.refresh_invalid');
      expect((await asAdmin('GET', `/users/${cleo.id}/sessions`)).body.sessions).toEqual([]);
      expect((await asAdmin('GET', `/users/${cleo.id}/grants`)).body.grants).toEqual([]);
      const { rows } = await owner.query(
        `select g.revoked_at, m.status from apps.grants g, credits.mandates m where g.id = $1 and m.wallet_id = $2`,
        [grantId, cleo.id],
      );
      const ended = { revoked_at: service.clock.now(), status: 'revoked' };
      expect(rows).toEqual([ended, ended]);
      expect((await verifyKey(service, key)).body).toMatchObject({ valid: false, code: 'revoked' });
    };
    await dead();
    expect((await logIn(service, cleo)).body.code).toBe('auth.account_deactivated');
    const back = await asAdmin('POST', `/users/${cleo.id}/reactivate`, { reason: 'A mistake' });
    expect(back.body).toMatchObject({ isActive: true, deactivatedAt: null, ban: null, credits: 150 });
    await dead();
    const again = await signIn(service, cleo);
    const events = await service.send('GET', '/api/v1/auth/security-events', { token: again.accessToken });
    const types = events.body.events.map(({ type }: any) => type);
    expect(types).toEqual(expect.arrayContaining(['account.deactivated', 'account.reactivated']));
  });

  test('and no device is remembered, nor a sign-in half done', async () => {
    const holder = await registerWithTotp(service);
    const { challengeToken } = (await logIn(service, holder)).body;
    const { deviceToken } = (
      await verifyCode(service, challengeToken, codeOf(service, holder.secret), { rememberDevice: true })
    ).body;
    service.clock.advance({ seconds: 30 });
    const half = (await logIn(service, holder)).body;
    await asAdmin('DELETE', `/users/${holder.id}`);
    await asAdmin('POST', `/users/${holder.id}/reactivate`, {});
    const credentials = { email: holder.email, password: holder.password, deviceToken };
    const again = await service.send('POST', '/api/v1/auth/login', { body: credentials });
    expect(again.body.twoFactorRequired).toBe(true);
    const late = await verifyCode(service, half.challengeToken, codeOf(service, holder.secret));
    expect(late.body.code).toBe('auth.challenge_invalid');
    expect((await signInWithTotp(service, holder)).accessToken).toBeDefined();
  });

  test('a sign-in that began before the deactivation opens nothing after the activation', async () => {
    const cleo = await newPerson();
    const late = randomUUID();
    await asAdmin('DELETE', `/users/${cleo.id}`);
    await owner.query(
      `insert into auth.sessions (id, user_id, created_at, last_used_at, expires_at) values ($1, $2, $3, $3, $3::timestamptz + interval '7 days')`,
      [late, cleo.id, service.clock.now()],
    );
    await asAdmin('POST', `/users/${cleo.id}/reactivate`, {});
    const { rows } = await owner.query('select revoked_reason from auth.sessions where id = $1', [late]);
    expect(rows).toEqual([{ revoked_reason: 'deactivated' }]);
  });
});

describe('sessions of others', () => {
  test('are listed, and ended one by one or all at once', async () => {
    const eve = await newPerson();
    await signIn(service, eve);
    service.clock.advance({ seconds: 1 });
    const { body } = await asAdmin('GET', `/users/${eve.id}/sessions`);
    expect(body.sessions.map(({ current }: any) => current)).toEqual([false, false]);
    const [first] = body.sessions;
    expect((await asAdmin('DELETE', `/users/${eve.id}/sessions/${first.id}`)).status).toBe(200);
    expect((await asAdmin('DELETE', `/users/${eve.id}/sessions/${first.id}`)).status).toBe(404);
    expect((await asAdmin('DELETE', `/users/${admin.userId}/sessions/${body.sessions[1].id}`)).status).toBe(
      404,
    );
    expect((await asAdmin('DELETE', `/users/${eve.id}/sessions?reason=Lost`)).body.revoked).toBe(1);
    expect((await service.send('GET', '/api/v1/auth/me', { token: eve.accessToken })).status).toBe(401);
    const events = await asAdmin('GET', `/users/${eve.id}/security-events`);
    expect(events.body.events[0]).toMatchObject({ type: 'sessions.ended', ipAddress: null });
    expect(Number(events.headers.get('x-total-count'))).toBe(events.body.total);
  });
});

describe('rule 27: what is done to others stands in the audit trail', () => {
  test('with who, why and from where, and without what is private', async () => {
    const fay = await newPerson();
    const reason = 'Asked by mail';
    await asAdmin('PUT', `/users/${fay.id}`, { name: 'Fay Secretname', reason });
    await asAdmin('PUT', `/users/${fay.id}/role`, { role: 'admin', reason });
    await asAdmin('PUT', `/users/${fay.id}/role`, { role: 'admin', reason });
    await asAdmin('PUT', `/users/${fay.id}/role`, { role: 'user', reason });
    await asAdmin('POST', `/users/${fay.id}/credits`, { amount: 5, description: reason });
    await asAdmin('POST', `/users/${fay.id}/credits`, { amount: -5, description: reason });
    await asAdmin('DELETE', `/users/${fay.id}/sessions?reason=${encodeURIComponent(reason)}`);
    await asAdmin('POST', `/users/${fay.id}/ban`, { reason });
    await asAdmin('POST', `/users/${fay.id}/reactivate`, { reason });
    await asAdmin('DELETE', `/users/${fay.id}?reason=${encodeURIComponent(reason)}`);
    const rows = await trailOf(fay.id);
    expect(rows.map(({ action }) => action as string).toSorted()).toEqual([
      'credits.granted',
      'credits.taken',
      'user.banned',
      'user.deactivated',
      'user.reactivated',
      'user.role_changed',
      'user.role_changed',
      'user.sessions_ended',
      'user.updated',
    ]);
    for (const row of rows)
      expect(row).toMatchObject({ actor_id: admin.userId, reason, ip_address: '127.0.0.1' });
    expect(JSON.stringify(rows)).not.toMatch(/Secretname|example\.com/);
  });

  test('what one does to oneself, too', async () => {
    const fay = await newPerson();
    await service.send('DELETE', '/api/v1/users/me', { token: fay.accessToken });
    expect(await trailOf(fay.id)).toMatchObject([
      { action: 'user.deactivated', actor_id: fay.id, reason: null },
    ]);
  });
});

describe('the last administrator', async () => {
  const alone = await startTestService();
  const roleOf = (token: string, id: string, role: string) =>
    alone.send('PUT', `/api/v1/users/${id}/role`, { token, body: { role } });

  const alonesOwner = await connectAsOwner(alone);
  const remaining = async (): Promise<string[]> =>
    (
      await alonesOwner.query<{ id: string }>(`select id from auth.users where role = 'admin' and is_active`)
    ).rows.map(({ id }) => id);

  test('stays one, whatever is tried', async () => {
    const last = await addAdministrator(alone);
    const { token, userId } = last;
    const tries = [
      await roleOf(token, userId, 'user'),
      await alone.send('DELETE', '/api/v1/users/me', { token }),
      await alone.send('DELETE', `/api/v1/users/${userId}`, { token }),
      await alone.send('POST', `/api/v1/users/${userId}/ban`, { token, body: { reason: 'Me' } }),
    ];
    for (const { status, body } of tries) expect([status, body.code]).toEqual([409, 'users.last_admin']);
    await expect(alonesOwner.query('delete from auth.users where id = $1', [userId])).rejects.toThrow(
      'users.last_admin',
    );
    await expect(alonesOwner.query('update auth.users set is_active = false')).rejects.toThrow(
      'users.last_admin',
    );
    expect((await alone.send('GET', '/api/v1/users', { token })).status).toBe(200);
  });

  test('is one of two who demote, deactivate or ban each other at once', async () => {
    const acts = [
      (token: string, id: string) => roleOf(token, id, 'user'),
      (token: string, id: string) => alone.send('DELETE', `/api/v1/users/${id}`, { token }),
      (token: string, id: string) =>
        alone.send('POST', `/api/v1/users/${id}/ban`, { token, body: { reason: 'You' } }),
    ];
    for (const [round, act] of [...acts, ...acts].entries()) {
      const admins = [];
      for (const id of await remaining()) {
        const pair = await addAdministrator(alone);
        admins.push(pair, await addAdministrator(alone));
        await roleOf(pair.token, id, 'user');
      }
      const [one, other] = admins;
      if (!one || !other) throw new Error('there are no administrators');
      const other_ = acts[(round + 1) % acts.length] ?? act;
      await Promise.all([act(one.token, other.userId), other_(other.token, one.userId)]);
      expect(await remaining()).toHaveLength(1);
    }
  });

  test('demoting oneself and being demoted by another at once leaves one', async () => {
    const [id] = await remaining();
    const [ada, ben] = [await addAdministrator(alone), await addAdministrator(alone)];
    await roleOf(ada.token, id ?? '', 'user');
    await Promise.all([
      roleOf(ada.token, ada.userId, 'user'),
      roleOf(ben.token, ben.userId, 'user'),
      roleOf(ada.token, ben.userId, 'user'),
      roleOf(ben.token, ada.userId, 'user'),
    ]);
    expect(await remaining()).toHaveLength(1);
  });
});
