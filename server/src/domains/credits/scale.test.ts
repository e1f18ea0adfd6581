import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../config.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { expectSound, post, readOwn, spend } from '../../../test/harness/movements.ts';
import { addWalletHolder } from '../../../test/harness/wallets.ts';

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

test('what wallets hold keeps its worth: the service does not start with another scale', async () => {
  const shared = { shareDatabaseWith: service };
  await expect(startTestService({ ...shared, env: { CREDITS_SCALE: '2' } })).rejects.toThrow(
    /opened with 6 decimal places.*Set CREDITS_SCALE=6\./,
  );
  const again = await startTestService({ ...shared, env: { CREDITS_SCALE: '6' } });
  expect((await again.send('GET', '/health/ready')).status).toBe(200);
});

test('before the first wallet it may be changed', async () => {
  const first = await startTestService();
  const changed = await startTestService({ shareDatabaseWith: first, env: { CREDITS_SCALE: '3' } });
  const holder = await addWalletHolder(changed);
  expect(await readOwn(changed, holder, 'balance')).toMatchObject({ scale: 3 });
  await expect(startTestService({ shareDatabaseWith: first })).rejects.toThrow('Set CREDITS_SCALE=3.');
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
