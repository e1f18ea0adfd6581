import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { jsonLines, takeIn } from '../../../test/harness/imports.ts';
import { answer } from '../../../test/harness/receiver.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';
import { addTeam } from '../../../test/harness/teams.ts';
import { findTraces } from '../../../test/harness/traces.ts';
import { addLot, addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';
import { addEndpoint, loopbackEnv } from '../../../test/harness/webhooks.ts';
import { createLog } from '../../log.ts';
import { verifyLedger } from '../credits/index.ts';

const lines: string[] = [];
const log = createLog(
  { logLevel: 'trace', logFormat: 'json', isProduction: false },
  { write: (line) => lines.push(line) },
);
const service = await startTestService({ env: { ...loopbackEnv, TRUST_PROXY: 'loopback' }, log });
const owner = await connectAsOwner(service);

const traces = {
  address: 'aurelia.quizzenbaum@example.com',
  name: 'Aurelia Quizzenbaum',
  username: 'aurelia-q',
  ip: '203.0.113.77',
};
const password = 'correct horse lantern';
const headers = { 'x-forwarded-for': traces.ip, 'user-agent': 'Quizzenbrowser' };
const credentials = { email: traces.address, password };

const send = (method: string, path: string, body?: unknown, token?: string) =>
  service.send(method, `/api/v1/${path}`, { headers, body, ...(token ? { token } : {}) });

async function signInAgain(): Promise<{ accessToken: string; refreshToken: string }> {
  const { status, body } = await send('POST', 'auth/login', {
    ...credentials,
    deviceName: `${traces.name}'s phone`,
  });
  expect(status).toBe(200);
  return body;
}

let id: string;
let tokens: { accessToken: string; refreshToken: string };
let boss: WalletHolder;
let endpoint: Awaited<ReturnType<typeof addEndpoint>>;

/** Signs up, mistypes, forgets. */
async function leaveTracesOfSigningIn(): Promise<void> {
  const registration = { ...credentials, name: traces.name, username: traces.username };
  id = (await send('POST', 'auth/register', registration)).body.id;
  await service.mails(traces.address);
  tokens = await signInAgain();
  await send('POST', 'auth/login', { ...credentials, password: 'wrong' });
  await send('POST', 'auth/login', { email: 'aurelia.quizenbaum@example.com', password });
  await send('POST', 'auth/forgot-password', { email: traces.address });
  await service.mails(traces.address);
  await send('POST', 'auth/resend-verification', { email: traces.address.toUpperCase() });
}

/** What applications and people write about a spend. */
const spend = {
  amount: 3,
  appId: 'chat',
  description: `For ${traces.name}`,
  metadata: { prompt: `Write to ${traces.name}`, ip: traces.ip },
};

async function leaveTracesInWallets(): Promise<void> {
  const token = tokens.accessToken;
  expect((await send('POST', 'credits/use', { ...spend, idempotencyKey: randomUUID() }, token)).status).toBe(
    200,
  );
  const held = await send('POST', 'credits/holds', { ...spend, idempotencyKey: randomUUID() }, token);
  expect(held.status).toBe(201);
  await send('POST', 'credits/mandates', { appId: 'chat', allowance: 9, period: 'month' }, token);

  boss = await addWalletHolder(service);
  await owner.query('update auth.users set email_verified_at = created_at where id = any ($1)', [
    [boss.userId, id],
  ]);
  const team = await addTeam(service, boss);
  await addLot(service, boss, { source: 'purchase', kind: 'paid', amount: 100 });
  await team.transfer(boss, 100);
  const invitation = await team.invite(boss, traces.address, { limit: { allowance: 50, period: 'month' } });
  const accepted = await send('POST', `credits/invitations/${invitation.body.id}/accept`, {}, token);
  expect(accepted.status).toBe(200);
  expect((await send('POST', 'credits/use', { ...spend, walletId: team.id }, token)).status).toBe(200);
  await addLot(
    service,
    { userId: id, sessionId: '', token },
    { source: 'purchase', kind: 'paid', amount: 5 },
  );
  const sent = { amount: 5, description: `From ${traces.name}` };
  expect((await send('POST', `credits/teams/${team.id}/transfers`, sent, token)).status).toBe(200);
  const other = await addTeam(service, boss, 'Other');
  expect((await other.invite(boss, traces.address)).status).toBe(201);
  expect((await send('POST', 'credits/teams', { name: 'Alone' }, token)).status).toBe(201);
}

async function leaveTracesWithApplications(): Promise<void> {
  const token = tokens.accessToken;
  endpoint = await addEndpoint(service, { eventTypes: ['credits.spent', 'user.updated', 'user.deleted'] });
  await owner.query(
    `insert into apps.memberships (application_id, user_id, role, created_at) values ($1, $2, 'editor', $3)`,
    [endpoint.app.id, id, service.clock.now()],
  );
  await owner.query('update apps.applications set contacts = $1 where id = $2', [
    [traces.address, 'desk@example.com'],
    endpoint.app.id,
  ]);
  endpoint.receiver.reply = answer(200, `Thanks, ${traces.address}`);
  await send('PUT', 'users/me', { picture: 'https://example.com/aurelia-q.png' }, token);
  expect(await endpoint.deliver()).toMatchObject([{ type: 'user.updated' }]);

  const closed = await registerApplication(service, boss.token, { name: 'Closed' });
  const message = `I am ${traces.name}, ${traces.address}`;
  expect((await send('POST', 'access-requests', { applicationId: closed.id, message }, token)).status).toBe(
    201,
  );
  await send('POST', 'oauth/authorize', {
    ...credentials,
    clientId: closed.clientId,
    redirectUrl: 'https://notes.example.com/callback',
    code_challenge: 'a'.repeat(43),
    code_challenge_method: 's256',
  });
}

async function leaveTracesElsewhere(): Promise<void> {
  await takeIn(
    service,
    jsonLines({ email: traces.address, id: traces.username, accounts: `google:${traces.address}` }),
    {
      onConflict: 'update',
    },
  );
  await owner.query(
    `insert into payments.events (id, provider, provider_event_id, type, payload, received_at, applied_at)
     values (gen_random_uuid(), 'stripe', 'evt_1', 'checkout', $1, $2, $2)`,
    [{ customer: { email: traces.address, name: traces.name } }, service.clock.now()],
  );
  service.ctx.log.warn({ err: new Error(`550 <${traces.address}>: no such mailbox`) }, 'a mail was refused');
}

/** A person who has left traces wherever one can. */
beforeAll(async () => {
  await leaveTracesOfSigningIn();
  await leaveTracesInWallets();
  await leaveTracesWithApplications();
  await leaveTracesElsewhere();
  for (const trace of Object.values(traces)) expect(await findTraces(owner, trace)).not.toEqual([]);
});

const erase = (body: unknown, token = tokens.accessToken) =>
  send('DELETE', 'users/me?erase=true', body, token);

test.each([
  ['without the password', {}, 403, 'auth.password_wrong'],
  ['with a wrong one', { currentPassword: 'wrong' }, 403, 'auth.password_wrong'],
  ['with one that is a number', { currentPassword: 7 }, 400, 'request.invalid'],
])('nobody is erased %s', async (_, body, status, code) => {
  expect(await erase(body)).toMatchObject({ status, body: { code } });
  expect((await send('GET', 'users/me', undefined, tokens.accessToken)).status).toBe(200);
});

test('nobody is erased by accident: the query says so in one word', async () => {
  for (const query of ['?erase=1', '?erase=', '?erase=TRUE']) {
    const body = { currentPassword: password };
    const answered = await send('DELETE', `users/me${query}`, body, tokens.accessToken);
    expect(answered.body.code).toBe('request.invalid');
  }
  const other = await registerPerson(service);
  const { accessToken } = await signIn(service, other);
  const deactivated = await service.send('DELETE', '/api/v1/users/me', { token: accessToken });
  expect(deactivated.status).toBe(200);
  const { rows } = await owner.query('select is_active, email from auth.users where id = $1', [other.id]);
  expect(rows).toEqual([{ is_active: false, email: other.email }]);
  const anonymous = await send('DELETE', 'users/me?erase=true', { currentPassword: password });
  expect(anonymous.body.code).toBe('auth.required');
});

test('the last administrator of an application hands it on first', async () => {
  const app = await registerApplication(service, tokens.accessToken, { name: 'Hers' });
  const refused = await erase({ currentPassword: password });
  expect(refused).toMatchObject({
    status: 409,
    body: { code: 'users.erasure_blocked', teams: [], applications: [{ id: app.id, name: 'Hers' }] },
  });
  expect((await send('DELETE', `applications/${app.id}`, undefined, tokens.accessToken)).status).toBe(200);
});

test('the last owner of a team with others hands it on first', async () => {
  const aurelia = { userId: id, sessionId: '', token: tokens.accessToken };
  const team = await addTeam(service, aurelia, 'Shared');
  await team.join(boss, { role: 'admin' });
  const refused = await erase({ currentPassword: password });
  expect(refused.body).toMatchObject({ teams: [{ id: team.id, name: 'Shared' }], applications: [] });
  const path = `credits/teams/${team.id}/members/${boss.userId}`;
  expect((await send('PUT', path, { role: 'owner' }, tokens.accessToken)).status).toBe(200);
});

test('erasure ends everything at once, and is told to the address and to applications', async () => {
  const other = await signInAgain();
  expect(await erase({ currentPassword: password })).toMatchObject({ status: 200, body: { success: true } });
  for (const { accessToken, refreshToken } of [tokens, other]) {
    expect((await send('GET', 'users/me', undefined, accessToken)).body.code).toBe('auth.session_ended');
    expect((await send('POST', 'auth/refresh', { refreshToken })).body.code).toBe('auth.refresh_invalid');
  }
  endpoint.receiver.reply = answer(204);
  const mails = await service.mails(traces.address);
  expect(mails[0]).toMatchObject({ subject: 'Your Obol account is erased' });
  const events = await endpoint.deliver();
  expect(events.at(-1)).toMatchObject({ type: 'user.deleted', data: { userId: id } });
});

test.each(Object.entries(traces))('afterwards nothing in the database holds the %s', async (_, trace) => {
  expect(await findTraces(owner, trace)).toEqual([]);
});

test.each(Object.entries(traces))('nor does any line of the log hold the %s', (_, trace) => {
  expect(lines.length).toBeGreaterThan(50);
  expect(lines.filter((line) => line.includes(trace))).toEqual([]);
});

test('the books are sound, the wallet is closed and nothing is held', async () => {
  expect(await verifyLedger(service.ctx.db, {})).toMatchObject({ isSound: true, findings: [] });
  const { rows } = await owner.query('select status, held from credits.balances where wallet_id = $1', [id]);
  expect(rows).toEqual([{ status: 'closed', held: 0 }]);
  const { rows: words } = await owner.query(
    `select distinct description, metadata from credits.transactions where wallet_id = $1 and type = 'usage'`,
    [id],
  );
  expect(words).toEqual([{ description: 'Erased', metadata: null }]);
});

test.each([
  ['an amount', 'amount = amount - 1, balance_after = balance_after - 1'],
  ['words that come back', `description = 'For somebody'`],
])('%s of an erased transaction that is altered is found', async (_, change) => {
  await owner.query('begin');
  await owner.query('alter table credits.transactions disable trigger user');
  await owner.query(`update credits.transactions set ${change} where wallet_id = $1 and type = 'usage'`, [
    id,
  ]);
  const { rows } = await owner.query(
    'select * from credits.verify_journal(array[$1::uuid], array[0::bigint], null)',
    [id],
  );
  await owner.query('rollback');
  expect(rows.map(({ problem }) => problem)).toContain(
    'the transaction or its entries do not match its hash',
  );
});

test('even while words are forgotten, nothing else of the journal changes', async () => {
  await owner.query('begin');
  await owner.query(`select set_config('obol.erasing', 'on', true)`);
  const change = owner.query('update credits.transactions set amount = amount + 1');
  await expect(change).rejects.toThrow('append-only');
  await owner.query('rollback');
});

test('the row is a tombstone, and the act stands in the audit trail', async () => {
  const { rows } = await owner.query('select * from auth.users where id = $1', [id]);
  expect(rows).toMatchObject([
    { email: `${id}@erased.invalid`, name: null, is_active: false, erased_at: service.clock.now() },
  ]);
  const { rows: events } = await owner.query(
    `select actor_id, ip_address from audit.events where action = 'user.erased' and target_id = $1`,
    [id],
  );
  expect(events).toEqual([{ actor_id: id, ip_address: null }]);
});

test('nobody signs in with the address, and it is free again', async () => {
  expect((await send('POST', 'auth/login', credentials)).body.code).toBe('auth.invalid_credentials');
  const again = await send('POST', 'auth/register', credentials);
  expect(again.status).toBe(201);
  expect(again.body.id).not.toBe(id);
});
