import { beforeAll, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, post } from '../../../../test/harness/movements.ts';
import { createTestProvider } from '../../../../test/harness/payments.ts';
import { addWalletHolder, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService({ paymentProviders: [createTestProvider()] });
let admin: WalletHolder;
let holder: WalletHolder;
beforeAll(async () => {
  admin = await addAdministrator(service);
  holder = await addWalletHolder(service);
});

const path = '/api/v1/credits/packages';
const as = (who: WalletHolder) => ({
  create: (body: Record<string, unknown>) => service.send('POST', path, { token: who.token, body }),
  change: (id: string, body: Record<string, unknown>) =>
    service.send('PUT', `${path}/${id}`, { token: who.token, body }),
  all: () => service.send('GET', `${path}/all`, { token: who.token }),
  versions: (id: string) => service.send('GET', `${path}/${id}/versions`, { token: who.token }),
});
const offered = async (id: string) =>
  (await service.send('GET', path)).body.find((one: { id: string }) => one.id === id);

describe('a package', () => {
  test('is for sale once an administrator has made it, in each of its currencies', async () => {
    const prices = [{ currency: 'USD', priceCents: 1100 }];
    const made = await as(admin).create({ id: 'team', name: 'Team', credits: 1000, priceCents: 900, prices });
    expect(made).toMatchObject({ status: 201, body: { id: 'team', version: 1, currency: 'EUR', prices } });
    expect(await offered('team')).toMatchObject({ priceCents: 900, currency: 'EUR', prices });
    const { body } = await post(service, holder, 'purchase', { packageId: 'team', currency: 'USD' });
    const { body: bought } = await service.send('GET', `/api/v1/credits/purchase/${body.purchaseId}`, {
      token: holder.token,
    });
    expect(bought).toMatchObject({ priceCents: 1100, currency: 'USD', credits: 1000, title: 'Team' });
  });

  test('changes for whoever buys it from then on, and says what it has been', async () => {
    await as(admin).create({ id: 'moving', name: 'Moving', credits: 100, priceCents: 100 });
    const { body: begun } = await post(service, holder, 'purchase', { packageId: 'moving' });
    const changed = await as(admin).change('moving', {
      name: 'Moved',
      credits: 90,
      priceCents: 120,
      active: true,
    });
    expect(changed.body).toMatchObject({ version: 2, credits: 90, prices: [] });
    const { body: bought } = await service.send('GET', `/api/v1/credits/purchase/${begun.purchaseId}`, {
      token: holder.token,
    });
    expect(bought).toMatchObject({ priceCents: 100, credits: 100, title: 'Moving' });
    expect((await as(admin).versions('moving')).body).toMatchObject([
      { version: 2, changedBy: admin.userId, terms: { name: 'Moved' } },
      { version: 1, terms: { name: 'Moving' } },
    ]);
  });

  test('is off sale for everybody but the administration', async () => {
    await as(admin).create({ id: 'gone', name: 'Gone', credits: 100, priceCents: 100 });
    await as(admin).change('gone', { name: 'Gone', credits: 100, priceCents: 100, active: false });
    expect(await offered('gone')).toBeUndefined();
    expect((await post(service, holder, 'purchase', { packageId: 'gone' })).body.code).toBe(
      'payments.package_unavailable',
    );
    const ids = (await as(admin).all()).body.map(({ id }: { id: string }) => id);
    expect(ids).toEqual(expect.arrayContaining(['gone', 'standard']));
  });

  test('keeps every change, however many come at once', async () => {
    await as(admin).create({ id: 'busy', name: 'Busy', credits: 100, priceCents: 100 });
    const changes = Array.from({ length: 8 }, (_, at) =>
      as(admin).change('busy', {
        name: 'Busy',
        credits: 100 + at,
        priceCents: 100,
        prices: [{ currency: 'USD', priceCents: 100 + at }],
      }),
    );
    const versions = (await Promise.all(changes)).map(({ body }) => body.version).toSorted((a, b) => a - b);
    expect(versions).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('of an id that is taken, or that does not exist', async () => {
    expect((await as(admin).create({ id: 'standard', name: 'x', credits: 1 })).body.code).toBe(
      'payments.package_exists',
    );
    const terms = { name: 'x', credits: 1, priceCents: 1 };
    expect((await as(admin).change('absent', terms)).body.code).toBe('request.not_found');
    expect((await as(admin).versions('absent')).body.code).toBe('request.not_found');
  });

  test('is nobody’s but administrators’ to change', async () => {
    const terms = { id: 'mine', name: 'x', credits: 1, priceCents: 1 };
    expect((await as(holder).create(terms)).body.code).toBe('auth.admin_required');
    expect((await as(holder).change('standard', terms)).body.code).toBe('auth.admin_required');
    expect((await as(holder).all()).body.code).toBe('auth.admin_required');
    expect((await as(holder).versions('standard')).body.code).toBe('auth.admin_required');
  });

  test('is as dear by CREDITS_PER_EUR as a price may be, and no dearer', async () => {
    const dearest = { id: 'dearest', name: 'Dearest', credits: 99_999_999 };
    expect((await as(admin).create(dearest)).status).toBe(201);
    const { body: begun } = await post(service, holder, 'purchase', { packageId: 'dearest' });
    const { body: bought } = await service.send('GET', `/api/v1/credits/purchase/${begun.purchaseId}`, {
      token: holder.token,
    });
    expect(bought).toMatchObject({ priceCents: 99_999_999 });
    const dearer = { name: 'Dearer', credits: 100_000_000 };
    expect(await as(admin).change('dearest', { ...dearer, active: true })).toMatchObject({
      status: 400,
      body: { code: 'request.invalid', errors: [{ path: '/body/credits' }] },
    });
    const priced = { ...dearer, priceCents: 99_999_999, active: true };
    expect((await as(admin).change('dearest', priced)).status).toBe(200);
  });

  test('that a lower CREDITS_PER_EUR has made too dear is refused', async () => {
    await as(admin).create({ id: 'once-cheap', name: 'Once cheap', credits: 99_999_999 });
    const dear = await startTestService({
      env: { CREDITS_PER_EUR: '1' },
      shareDatabaseWith: service,
      paymentProviders: [createTestProvider()],
    });
    expect(await post(dear, holder, 'purchase', { packageId: 'once-cheap' })).toMatchObject({
      status: 422,
      body: { code: 'payments.currency_unavailable' },
    });
  });

  test.each([
    ['/body/priceCents', { currency: 'USD' }],
    ['/body/priceCents', { priceCents: 0 }],
    ['/body/priceCents', { priceCents: 1.5 }],
    ['/body/priceCents', { priceCents: 1e9 }],
    ['/body/credits', { credits: 0 }],
    ['/body/credits', { credits: 2 ** 53 }],
    ['/body/credits', { credits: 100_000_000 }],
    ['/body/credits', { credits: 1e9, priceCents: null }],
    ['/body/perUserDays', { priceCents: 1, perUserDays: 3 }],
    ['/body/prices', { priceCents: 1, prices: [{ currency: 'EUR', priceCents: 1 }] }],
    [
      '/body/prices',
      {
        priceCents: 1,
        prices: [
          { currency: 'USD', priceCents: 1 },
          { currency: 'USD', priceCents: 2 },
        ],
      },
    ],
    ['/body/currency', { currency: 'euro' }],
    ['/body/id', { id: 'Upper Case' }],
  ])('is refused at %s for %j', async (field, wrong) => {
    const answer = await as(admin).create({ id: 'wrong', name: 'x', credits: 1, ...wrong });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: field }] } });
  });
});
