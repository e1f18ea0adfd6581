import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { addAdministrator, expectSound } from '../../../../test/harness/movements.ts';
import { addWalletHolder, type WalletHolder } from '../../../../test/harness/wallets.ts';

const start = '2026-03-10T12:00:00.000Z';
const service = await startTestService({ startAt: start });
const admin = await addAdministrator(service);
const app = await registerApplication(service, admin.token);
const credits = '/api/v1/credits';
let holder: WalletHolder;
const { own, given, use, read, spendBody } = mandateCalls(service, app, () => holder);

beforeEach(async () => {
  service.clock.set(start);
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const tokenOf = (scope: string) => {
  const now = Math.floor(service.clock.now().getTime() / 1000);
  return service.ctx.keys.sign({
    iss: service.ctx.config.jwtIssuer,
    aud: service.ctx.config.jwtAudience,
    sub: holder.userId,
    sid: holder.sessionId,
    jti: randomUUID(),
    iat: now,
    exp: now + 900,
    email: 'somebody@example.com',
    role: 'user',
    client_id: app.clientId,
    scope,
  });
};
const useWith = async (scope: string, more: Record<string, unknown> = {}) =>
  service.send('POST', `${credits}/use`, {
    token: await tokenOf(scope),
    body: { ...spendBody(more), onBehalfOf: undefined },
  });

describe('a token that a person gave to an app', () => {
  test('spends with the scope for it, under the same mandate', async () => {
    expect((await useWith('openid')).body.code).toBe('auth.insufficient_scope');
    expect((await useWith('credits:spend')).body.code).toBe('mandate.required');
    const mandate = await given();
    expect((await useWith('openid credits:spend', { amount: 60 })).status).toBe(200);
    expect((await use({ amount: 41 })).body).toMatchObject({ code: 'mandate.exceeded', remaining: 40 });
    expect(await read(mandate.id)).toMatchObject({ used: 60 });
  });

  test('sees and moves the holds of its app only, and changes no mandate', async () => {
    await given();
    const mine = (await own('POST', '/holds', { amount: 5, appId: 'chat', description: 'x' })).body;
    const token = await tokenOf('credits:spend');
    expect((await service.send('GET', `${credits}/holds`, { token })).body).toEqual([]);
    expect((await service.send('GET', `${credits}/holds/${mine.id}`, { token })).status).toBe(404);
    const body = { amount: 5 };
    expect((await service.send('POST', `${credits}/holds/${mine.id}/capture`, { token, body })).status).toBe(
      404,
    );
    const wider = { appId: app.clientId, allowance: 1000, period: 'day' };
    expect((await service.send('POST', `${credits}/mandates`, { token, body: wider })).status).toBe(403);
  });
});
