import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../config.ts';
import { registerApplication } from '../../../test/harness/applications.ts';
import { openCommandLine } from '../../../test/harness/command.ts';
import { startTestService, type TestService } from '../../../test/harness/index.ts';
import { expectSound, post, readOwn, spend } from '../../../test/harness/movements.ts';
import { addWalletHolder, connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService({ env: { CREDITS_SCALE: '6', CREDITS_DAILY_CAP: '7' } });
const million = 1_000_000;

test('with a scale wallets count fractions of a credit, and settings stay in credits', async () => {
  const holder = await addWalletHolder(service);
  expect(await readOwn(service, holder, 'balance')).toMatchObject({
    scale: 6,
    available: 150 * million,
    dailyFreeCredits: 5 * million,
  });
  await spend(service, holder, 1);
  service.clock.advance({ days: 2 });
  expect(await readOwn(service, holder, 'balance')).toMatchObject({
    available: 157 * million - 1,
    totalSpent: 1,
  });
  await expectSound(service);
});

test('packages bring as many units, for the price of their credits', async () => {
  const { body } = await service.send('GET', '/api/v1/credits/packages');
  expect(body[1]).toMatchObject({ id: 'standard', credits: 1000 * million, scale: 6, priceCents: 1000 });
});

test('an endpoint hears of balances below 20 credits, unless it says otherwise', async () => {
  const { token } = await addWalletHolder(service);
  const { id: applicationId } = await registerApplication(service, token);
  const body = { applicationId, url: 'https://notes.example.com/hooks' };
  const { status, body: created } = await service.send('POST', '/api/v1/webhooks/endpoints', { token, body });
  expect([status, created.endpoint.lowBalance]).toEqual([201, 20 * million]);
});

test('without one a unit is a credit', async () => {
  const plain = await startTestService();
  const holder = await addWalletHolder(plain);
  expect(await readOwn(plain, holder, 'balance')).toMatchObject({ scale: 0, available: 150 });
  const { body } = await plain.send('GET', '/api/v1/credits/packages');
  expect(body[0]).toMatchObject({ id: 'starter', credits: 500, scale: 0, priceCents: 500 });
  expect((await post(plain, holder, 'use', { amount: 0.5, appId: 'chat', description: 'x' })).status).toBe(
    400,
  );
});

const agree = async (client: pg.Client, wanted: number) =>
  (await client.query('select credits.agree_on_scale($1) as noted', [wanted])).rows[0].noted;

const withScale = (shareDatabaseWith: TestService, CREDITS_SCALE: string) =>
  startTestService({ shareDatabaseWith, env: { CREDITS_SCALE } });

describe('the scale of a database', () => {
  const env = { CREDITS_SCALE: '6' };

  test('is noted at the first start, and no process starts with another, wallets or none', async () => {
    await expect(withScale(service, '2')).rejects.toThrow(/noted to have 6 .*Set CREDITS_SCALE=6;/);
    expect((await (await withScale(service, '6')).send('GET', '/health/ready')).status).toBe(200);
    const empty = await startTestService({ env });
    await expect(withScale(empty, '0')).rejects.toThrow('Set CREDITS_SCALE=6;');
  });

  test('is one for processes that start at once with several', async () => {
    const [first, second] = [await connectAsOwner(service), await connectAsOwner(service)];
    await first.query('delete from credits.scale');
    await first.query('begin');
    expect(await agree(first, 6)).toBe(6);
    const waiting = agree(second, 2);
    await first.query('commit');
    expect(await waiting).toBe(6);
  });

  test('is compared by commands, which note nothing, and by doctor', async () => {
    const { run } = await openCommandLine(service, env);
    const other = { CREDITS_SCALE: '2' };
    const refused = await run(['ledger', 'verify'], other);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('Set CREDITS_SCALE=6;')]);
    expect((await run(['doctor'], other)).stdout).toMatch(/FAIL {2}credits: .*noted to have 6 .*, not 2\n/);
    expect((await run(['doctor'])).stdout).toContain('ok    credits: 6 decimal places');
    const owner = await connectAsOwner(service);
    await owner.query('delete from credits.scale');
    expect((await run(['ledger', 'verify'], other)).code).toBe(0);
    expect((await run(['ledger', 'scale'], other)).stdout).toContain('Nothing is noted yet');
    await withScale(service, '6');
  });

  test('is corrected by the owner alone, and once there are wallets only when it is meant', async () => {
    const fresh = await startTestService({ env });
    const { run } = await openCommandLine(fresh, env);
    expect((await run(['ledger', 'scale', '3'])).stdout).toContain('CREDITS_SCALE=3.');
    await addWalletHolder(await withScale(fresh, '3'));
    const refused = await run(['ledger', 'scale', '4']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--keep-amounts')]);
    expect(JSON.parse((await run(['ledger', 'scale', '--json'])).stdout)).toEqual({ decimals: 3 });
    expect((await run(['ledger', 'scale', '4', '--keep-amounts'])).code).toBe(0);
    await withScale(fresh, '4');
    expect((await run(['ledger', 'scale', '7'])).stderr).toContain('a number from 0 to 6');
    await expect(fresh.ctx.db.call('select credits.correct_scale(1, true)', [])).rejects.toThrow(
      'permission denied',
    );
  });
});

test.each([
  [{ CREDITS_SCALE: '7' }, 'CREDITS_SCALE: expected a number of decimal places from 0 to 6, got "7".'],
  [{ CREDITS_SCALE: '-1' }, 'CREDITS_SCALE: expected a number of decimal places from 0 to 6, got "-1".'],
  [
    { CREDITS_SCALE: '6', CREDITS_DAILY_CAP: '9999999999' },
    'CREDITS_DAILY_CAP: 9999999999 credits are more than can be counted.',
  ],
  [{ CREDITS_DEBT_MAX: '1.5' }, 'CREDITS_DEBT_MAX: expected a whole number of credits, got "1.5".'],
])('the service does not start with %j', (env, problem) => {
  const load = () => loadConfig({ OBOL_SECRET: 'test secret, thirty-two characters long', ...env });
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(problem);
});

test('every setting in credits comes as units', () => {
  const { creditsSignupBonus, creditsDailyFree, creditsDailyCap, creditsPerEur, creditsDebtMax } = loadConfig(
    {
      CREDITS_SCALE: '2',
    },
  );
  expect({ creditsSignupBonus, creditsDailyFree, creditsDailyCap, creditsPerEur, creditsDebtMax }).toEqual({
    creditsSignupBonus: 15_000,
    creditsDailyFree: 500,
    creditsDailyCap: 15_000,
    creditsPerEur: 10_000,
    creditsDebtMax: 100_000,
  });
});
