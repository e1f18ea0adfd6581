import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { deliver, deliverAll } from '../../../test/harness/billing.ts';
import { expectSound } from '../../../test/harness/movements.ts';
import { ask, makePlan, startBilledService, subscribe } from '../../../test/harness/plans.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';
import type { Fact } from './fact.ts';

// What providers tell about a person names them in their own words, and at addresses that we do not know.

const { service, billing, admin } = await startBilledService('2027-04-01T00:00:00.000Z');
await makePlan(service, admin, 'small');
const owner = await connectAsOwner(service);

const privately = { payer: { email_address: 'private@home.example', name: 'Dana Doe' } };
const tell = async (payload: object, facts: Fact[] = []) => {
  const id = `evt_${randomUUID()}`;
  const createdAt = service.clock.now();
  const event = { id, type: 'x', createdAt, isLive: false, payload: { ...privately, ...payload }, facts };
  expect((await deliver(service, event)).status).toBe(200);
  return async () => {
    const { rows } = await owner.query('select payload from payments.events where provider_event_id = $1', [
      id,
    ]);
    return rows[0].payload;
  };
};
const withLinks = 'select invoice_url from payments.invoices where invoice_url is not null';
const refundOf = (paymentId: string): Fact => ({
  kind: 'refund',
  refundId: `re_${paymentId}`,
  paymentId,
  refundRequestId: null,
  status: 'failed',
  amountCents: 1,
  currency: 'EUR',
});
const exportOf = async ({ token }: { token: string }): Promise<any> => {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${service.url}/api/v1/users/me/export`, { headers })).json();
};

test('what providers told of a person is forgotten with them, whatever address they paid under', async () => {
  const one = await subscribe(service, billing, 'small');
  const invoice = billing.billed.at(-1)?.invoices.at(-1);
  await owner.query(`update payments.invoices set invoice_url = 'https://pay.example.com/bill'`);
  const two = await subscribe(service, billing, 'small');
  const others = billing.billed.at(-1)?.invoices.at(-1);
  const own = [
    await tell({}, [refundOf(invoice?.paymentId ?? '')]),
    await tell({ customer: `cus_${one.subscriptionId}` }),
    await tell({ id: `sub_${one.subscriptionId}` }),
    await tell({ custom_id: one.subscriptionId }),
    await tell({ email: `${one.userId}@example.com`.toUpperCase() }),
  ];
  const kept = [
    await tell({}, [refundOf(others?.paymentId ?? '')]),
    await tell({ customer: `cus_${two.subscriptionId}` }),
  ];
  await owner.query(
    `insert into payments.refused_deliveries (id, provider, code, body, received_at)
       select gen_random_uuid(), 'stripe', 'payments.delivery_too_old', b.body, $3
         from (values ($1), ($2)) as b (body)`,
    [`{"customer":"cus_${one.subscriptionId}"}`, '{"customer":"cus_other"}', service.clock.now()],
  );

  await owner.query("update payments.checkouts set customer_id = 'cus_' || checkout_id");

  const { payments } = await exportOf(one).then((whole) => ({ payments: JSON.stringify(whole) }));
  expect(payments).toContain(invoice?.invoiceId);
  expect(payments).toContain('payments.periods');
  expect(payments).not.toContain(others?.invoiceId);

  expect((await ask(service, one, 'DELETE')).status).toBe(200);
  await deliverAll(service, billing);
  const erase = { token: one.token, body: {} };
  expect((await service.send('DELETE', '/api/v1/users/me?erase=true', erase)).status).toBe(200);
  for (const read of own) expect(await read()).toEqual({});
  for (const read of kept) expect(await read()).toMatchObject(privately);
  const links = await owner.query(withLinks);
  expect(links.rows).toEqual([]);
  const { rows: payers } = await owner.query(
    'select checkout_id from payments.checkouts where customer_id is not null',
  );
  expect(payers).toEqual([{ checkout_id: others?.invoiceId }]);
  const { rows: customers } = await owner.query(
    'select facts from payments.events where facts::text like $1',
    [`%cus_${one.subscriptionId}%`],
  );
  expect(customers).toEqual([]);
  // What comes later is kept, without the link.
  await tell({}, [{ ...invoice!, invoiceUrl: 'https://pay.example.com/later' }]);
  expect((await owner.query(withLinks)).rows).toEqual([]);
  await tell({}, [{ ...others!, invoiceUrl: 'https://pay.example.com/of-another' }]);
  expect((await owner.query(withLinks)).rows).toHaveLength(1);
  const { rows } = await owner.query('select body from payments.refused_deliveries');
  expect(rows).toEqual([{ body: '{"customer":"cus_other"}' }]);
  await expectSound(service);
});

test('requests for refunds are written by functions alone', async () => {
  const { rows } = await owner.query(
    `select k.privilege from (values ('insert'), ('update'), ('delete')) as k (privilege)
      where has_table_privilege('obol_app', 'payments.refund_requests', k.privilege)`,
  );
  expect(rows).toEqual([]);
});
