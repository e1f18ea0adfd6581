import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { issueCertificate } from '../../../../test/harness/certificates.ts';
import { createTestClock, startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, expectSound, post, readOwn } from '../../../../test/harness/movements.ts';
import {
  certificateAddress,
  certificateName,
  createFakePaypal,
  createTestPaypal,
  eventOf,
  json,
  link,
  payee,
  signDelivery,
  testAuthority,
} from '../../../../test/harness/paypal.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const clock = createTestClock();
const fake = createFakePaypal();
const signer = issueCertificate({ name: certificateName, issuer: testAuthority() });
fake.on('GET', certificateAddress, () => new Response(signer.pem));
const paypal = createTestPaypal(fake, clock, { paypalMerchantId: '' });
const service = await startTestService({
  clock,
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: [paypal],
});
const owner = await connectAsOwner(service);
const administrator = await addAdministrator(service);
let holder: WalletHolder;
beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const newId = () => randomBytes(9).toString('hex').toUpperCase().slice(0, 17);
const eur = (value: string) => ({ currency_code: 'EUR', value });
const mallory = { email_address: 'mallory@evil.example', merchant_id: 'MALLORY000001' };
const money = async () => (await readOwn(service, holder, 'balance')).balance as number;
const statusOf = async (id: string) => (await readOwn(service, holder, `purchase/${id}`)).status as string;

/** Somebody begins to buy a pack: an order of ours, of which nothing has been told yet. */
const begin = async () => {
  const orderId = newId();
  fake.on('POST', '/v2/checkout/orders', ({ body }) =>
    json({ id: orderId, purchase_units: [{ ...body.purchase_units[0], payee }], links: [link('approve')] }),
  );
  fake.on('GET', `/v2/checkout/orders/${orderId}`, orderOf(orderId, 'PAYER_ACTION_REQUIRED'));
  const order = { packageId: 'standard', provider: 'paypal' };
  const { status, body } = await post(service, holder, 'purchase', order);
  return { orderId, status, body, id: body.purchaseId as string };
};
const orderOf = (id: string, status: string, unit: object = {}) => ({
  id,
  intent: 'CAPTURE',
  status,
  purchase_units: [{ amount: eur('10.00'), payee, ...unit }],
});
const captureOf = (orderId: string, more: object = {}) => ({
  id: newId(),
  status: 'COMPLETED',
  amount: eur('10.00'),
  payee,
  supplementary_data: { related_ids: { order_id: orderId } },
  ...more,
});
/** PayPal keeps an order that its customer has approved, and would capture it. */
const keepApproved = (id: string, unit: object) => {
  const path = `/v2/checkout/orders/${id}`;
  const capture = { id: newId(), status: 'COMPLETED', amount: eur('10.00'), ...unit };
  fake.on('GET', path, () => json(orderOf(id, 'APPROVED', unit)));
  fake.on('POST', `${path}/capture`, () =>
    json(orderOf(id, 'COMPLETED', { ...unit, payments: { captures: [capture] } }), 201),
  );
  return { order: orderOf(id, 'APPROVED', unit), captures: () => fake.count(`${path}/capture`) };
};
const tell = async (type: string, resource: object) => {
  const event = eventOf(type, resource);
  const body = JSON.stringify(event);
  const headers = signDelivery(body, clock, { key: signer.key });
  const { status } = await fetch(`${service.url}/api/v1/webhooks/paypal`, { method: 'POST', headers, body });
  const events = await service.send('GET', '/api/v1/payments/events?limit=200', {
    token: administrator.token,
  });
  const { outcome, reason, id } = events.body.find((one: any) => one.providerEventId === event.id) ?? {};
  return { status, outcome, reason, id };
};

describe('what is paid to somebody else', () => {
  test('counts for nothing, whoever is named as its purchase', async () => {
    const { id } = await begin();
    const capture = captureOf(newId(), { custom_id: id, invoice_id: id, payee: mallory });
    const told = await tell('PAYMENT.CAPTURE.COMPLETED', capture);
    expect(told).toMatchObject({ status: 200, outcome: 'refused', reason: 'wrong_payee' });
    const whole = orderOf(newId(), 'COMPLETED', {
      custom_id: id,
      payee: mallory,
      payments: { captures: [captureOf('')] },
    });
    expect(await tell('CHECKOUT.ORDER.COMPLETED', whole)).toMatchObject({ reason: 'wrong_payee' });
    expect([await money(), await statusOf(id)]).toEqual([0, 'pending']);
    // Told again, it is still the same event, and has no effect either.
    const path = `/api/v1/payments/events/${told.id}/replay`;
    const replayed = await service.send('POST', path, { token: administrator.token });
    expect(replayed).toMatchObject({ status: 200, body: { outcome: 'refused', reason: 'wrong_payee' } });
    expect(await money()).toBe(0);
  });

  test('is not captured, neither when PayPal tells of it nor when the purchase is looked at', async () => {
    const { id, orderId } = await begin();
    const unit = { custom_id: id, invoice_id: id, payee: mallory };
    const foreign = keepApproved(newId(), unit);
    expect(await tell('CHECKOUT.ORDER.APPROVED', foreign.order)).toMatchObject({ reason: 'wrong_payee' });
    expect(foreign.captures()).toBe(0);
    const away = keepApproved(newId(), unit);
    fake.on('GET', `/v2/checkout/orders/${away.order.id}`, () => new Response('', { status: 503 }));
    expect(await tell('CHECKOUT.ORDER.APPROVED', away.order)).toMatchObject({ reason: 'wrong_payee' });
    const changed = keepApproved(orderId, unit);
    expect(await statusOf(id)).toBe('failed');
    expect([await money(), changed.captures()]).toEqual([0, 0]);
  });

  test('is found by its order where the event does not say whom it pays', async () => {
    const { id, orderId } = await begin();
    const silent = captureOf(orderId, { custom_id: id, payee: undefined });
    const lost = captureOf(newId(), { custom_id: id, payee: undefined });
    expect(await tell('PAYMENT.CAPTURE.COMPLETED', lost)).toMatchObject({ reason: 'payee_unknown' });
    const path = `/v2/checkout/orders/${orderId}`;
    fake.on('GET', path, orderOf(orderId, 'COMPLETED', { custom_id: id, payee: undefined }));
    expect(await tell('PAYMENT.CAPTURE.COMPLETED', silent)).toMatchObject({ reason: 'payee_unknown' });
    fake.on('GET', path, orderOf(orderId, 'COMPLETED', { custom_id: id, payee: mallory }));
    expect(await tell('PAYMENT.CAPTURE.COMPLETED', silent)).toMatchObject({ reason: 'wrong_payee' });
    fake.on('GET', path, orderOf(orderId, 'COMPLETED', { custom_id: id }));
    expect(await tell('PAYMENT.CAPTURE.COMPLETED', silent)).toMatchObject({ outcome: 'applied' });
    expect(await money()).toBe(1000);
  });

  test('is told apart after a restart, too, by an order that nobody is sent to', async () => {
    const { id, orderId } = await begin();
    const read = (fresh: typeof paypal, to: object) => {
      const body = JSON.stringify(
        eventOf('PAYMENT.CAPTURE.COMPLETED', captureOf(orderId, { custom_id: id, payee: to })),
      );
      return fresh.readDelivery(Buffer.from(body), signDelivery(body, clock, { key: signer.key }));
    };
    const silent = orderOf('SILENT0000000001', 'CREATED', { payee: undefined });
    fake.on('POST', '/v2/checkout/orders', silent);
    fake.on('GET', '/v2/checkout/orders/SILENT0000000001', silent);
    const fresh = createTestPaypal(fake, clock, { paypalMerchantId: '' });
    await expect(read(fresh, payee)).rejects.toMatchObject({ code: 'payments.provider_unavailable' });
    fake.on('GET', '/v2/checkout/orders/SILENT0000000001', orderOf('SILENT0000000001', 'CREATED'));
    expect(await read(fresh, mallory)).toMatchObject({ refusal: 'wrong_payee' });
    const asked = fake.count('/v2/checkout/orders');
    expect(await read(fresh, payee)).toMatchObject({ refusal: null });
    expect(fake.count('/v2/checkout/orders')).toBe(asked);
    const named = createTestPaypal(fake, clock, { paypalMerchantId: 'ANOTHER000001' });
    expect(await read(named, payee)).toMatchObject({ refusal: 'wrong_payee' });
    expect(fake.count('/v2/checkout/orders')).toBe(asked);
  });
});

describe('an approved order is captured', () => {
  test('not when it is for nothing of ours', async () => {
    const unknown = randomUUID();
    const foreign = keepApproved(newId(), { custom_id: unknown, invoice_id: unknown });
    expect(await tell('CHECKOUT.ORDER.APPROVED', foreign.order)).toMatchObject({ outcome: 'waiting' });
    expect(foreign.captures()).toBe(0);
  });

  test('not when it is another order than ours, or has another price', async () => {
    const { id } = await begin();
    const another = keepApproved(newId(), { custom_id: id, invoice_id: 'a bill of somebody' });
    await tell('CHECKOUT.ORDER.APPROVED', another.order);
    const dearer = keepApproved(newId(), { custom_id: id, invoice_id: id, amount: eur('77.00') });
    await tell('CHECKOUT.ORDER.APPROVED', dearer.order);
    expect([another.captures(), dearer.captures(), await money()]).toEqual([0, 0, 0]);
  });

  test('once it is ours: the one that we opened, or one that bears our bill', async () => {
    const { id, orderId } = await begin();
    const opened = keepApproved(orderId, { custom_id: id });
    expect(await tell('CHECKOUT.ORDER.APPROVED', opened.order)).toMatchObject({ outcome: 'applied' });
    expect([opened.captures(), await money()]).toEqual([1, 1000]);
    // What is paid is not paid once more.
    const late = keepApproved(newId(), { custom_id: id, invoice_id: id });
    await tell('CHECKOUT.ORDER.APPROVED', late.order);
    expect(late.captures()).toBe(0);
    const second = await begin();
    const bill = keepApproved(newId(), { custom_id: second.id, invoice_id: second.id });
    await tell('CHECKOUT.ORDER.APPROVED', bill.order);
    expect([bill.captures(), await money()]).toEqual([1, 2000]);
  });
});

test('a payment that failed counts for the limit as long as it may still be made', async () => {
  await owner.query(`update credits.packages set per_user_max = 1 where id = 'standard'`);
  try {
    const { id, orderId, body } = await begin();
    await tell('PAYMENT.CAPTURE.DECLINED', captureOf(orderId, { custom_id: id, status: 'DECLINED' }));
    expect(await statusOf(id)).toBe('failed');
    expect((await begin()).body.code).toBe('payments.limit_reached');
    await tell('PAYMENT.CAPTURE.COMPLETED', captureOf(orderId, { custom_id: id }));
    expect([await money(), (await begin()).body.code]).toEqual([1000, 'payments.limit_reached']);
    expect(body.checkoutUrl).toBeDefined();
    // Once its time is over, or when nobody can pay it any more, it counts no longer.
    holder = await addWalletHolder(service);
    const left = await begin();
    await tell('CHECKOUT.ORDER.VOIDED', orderOf(left.orderId, 'VOIDED', { custom_id: left.id }));
    expect(await statusOf(left.id)).toBe('failed');
    const declined = await begin();
    expect(declined.status).toBe(200);
    const capture = captureOf(declined.orderId, { custom_id: declined.id, status: 'DECLINED' });
    await tell('PAYMENT.CAPTURE.DECLINED', capture);
    clock.advance({ hours: 24 });
    expect((await begin()).status).toBe(200);
  } finally {
    await owner.query(`update credits.packages set per_user_max = null where id = 'standard'`);
  }
});
