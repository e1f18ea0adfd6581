import { beforeEach, describe, expect, test } from 'vitest';
import { deliverAll, renew, turnOf } from '../../../../test/harness/billing.ts';
import { makePlan, startBilledService, subscribe, type Subscriber } from '../../../../test/harness/plans.ts';
import { addWalletHolder } from '../../../../test/harness/wallets.ts';

const start = '2027-04-01T00:00:00.000Z';
const { service, billing, admin } = await startBilledService(start);
await makePlan(service, admin, 'plus');

let one: Subscriber;
beforeEach(async () => {
  service.clock.set(start);
  one = await subscribe(service, billing, 'plus');
});

const list = (query = '', asker: { token: string } = one) =>
  service.send('GET', `/api/v1/payments/invoices${query}`, { token: asker.token });

/** Has so many more periods billed. */
async function billPeriods(count: number): Promise<void> {
  for (let turn = 1; turn <= count; turn++) {
    service.clock.set(turnOf(new Date(start), 'month', turn));
    renew(billing, one.subscriptionId, { fails: turn === count });
    await deliverAll(service, billing);
  }
}

/** The address of the next page, as the answer says it. */
const nextOf = (headers: Headers): string | undefined =>
  /<([^>]*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];

test('bills are listed with what they paid for, the youngest first', async () => {
  await billPeriods(2);
  const { status, headers, body } = await list();
  expect(status).toBe(200);
  expect(headers.get('x-total-count')).toBe('3');
  const common = {
    provider: 'stripe',
    purpose: 'period',
    amountCents: 1000,
    currency: 'EUR',
    invoiceUrl: null,
    isTest: true,
    subscriptionId: one.subscriptionId,
  };
  expect(body).toMatchObject([
    { ...common, status: 'failed', purchaseId: null, periodStart: '2027-06-01T00:00:00.000Z' },
    { ...common, status: 'paid', periodEnd: '2027-06-01T00:00:00.000Z' },
    {
      ...common,
      status: 'paid',
      periodStart: start,
      periodEnd: '2027-05-01T00:00:00.000Z',
      receivedAt: start,
    },
  ]);
  const { body: purchase } = await service.send('GET', `/api/v1/credits/purchase/${body[2].purchaseId}`, {
    token: one.token,
  });
  expect(purchase).toMatchObject({ status: 'completed', credits: 1000 });
});

test('a page leads to the next one, until there is none', async () => {
  await billPeriods(2);
  const ids: string[] = [];
  let query: string | undefined = '?limit=1';
  for (let page = 0; query !== undefined && page < 5; page++) {
    const { body, headers } = await list(query);
    expect(body).toHaveLength(1);
    expect(headers.get('x-total-count')).toBe('3');
    ids.push(body[0].id);
    const next = nextOf(headers);
    query = next === undefined ? undefined : new URL(next, service.url).search;
  }
  expect(ids).toEqual((await list()).body.map(({ id }: { id: string }) => id));
  expect(new Set(ids).size).toBe(3);
  expect((await list('?offset=3')).body).toEqual([]);
});

describe("other people's bills", () => {
  test('are nobody else to see, administrators neither', async () => {
    const other = await subscribe(service, billing, 'plus');
    const [own] = (await list()).body;
    const [theirs] = (await list('', other)).body;
    expect(own.id).not.toBe(theirs.id);
    expect((await list()).body).toHaveLength(1);
    expect((await list('', admin)).body).toEqual([]);
    const stranger = await addWalletHolder(service);
    const { body, headers } = await list('', stranger);
    expect(body).toEqual([]);
    expect(headers.get('x-total-count')).toBe('0');
  });

  test('nor to somebody who is not signed in', async () => {
    expect((await service.send('GET', '/api/v1/payments/invoices')).status).toBe(401);
    expect((await list('', { token: 'nonsense' })).status).toBe(401);
  });
});

test.each(['?limit=0', '?limit=-1', '?limit=many', '?limit=1.5', '?limit=100000', '?offset=-1', '?offset=x'])(
  '%s is refused',
  async (query) => {
    expect(await list(query)).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
  },
);
