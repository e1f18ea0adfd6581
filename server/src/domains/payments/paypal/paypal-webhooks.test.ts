import { randomBytes } from 'node:crypto';
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
  payee,
  signDelivery,
  testAuthority,
  type Signing,
} from '../../../../test/harness/paypal.ts';
import { addWalletHolder, type WalletHolder } from '../../../../test/harness/wallets.ts';

const clock = createTestClock();
const fake = createFakePaypal();
const signer = issueCertificate({ name: certificateName, issuer: testAuthority() });
const stranger = issueCertificate({ name: certificateName });
const expired = issueCertificate({
  name: certificateName,
  issuer: testAuthority(),
  validFrom: '2025-01-01',
  validTo: '2026-03-01',
});
const addressOf = (name: string) => certificateAddress.replace('fca2a594', name);
fake.on('GET', certificateAddress, () => new Response(signer.pem));
fake.on('GET', addressOf('self-signed'), () => new Response(stranger.pem));
fake.on('GET', addressOf('expired'), () => new Response(expired.pem));

const service = await startTestService({
  clock,
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: [createTestPaypal(fake, clock)],
});
const administrator = await addAdministrator(service);
let holder: WalletHolder;

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const newId = () => randomBytes(9).toString('hex').toUpperCase().slice(0, 17);
const eur = (value: string) => ({ currency_code: 'EUR', value });
const money = async () => (await readOwn(service, holder, 'balance')).balance as number;
const readAsAdministrator = async (path: string) =>
  (await service.send('GET', `/api/v1/payments/${path}`, { token: administrator.token })).body;

/** Somebody begins to buy a pack; PayPal has an order, which its customer may approve. */
const buy = async () => {
  const orderId = newId();
  const captureId = newId();
  const path = `/v2/checkout/orders/${orderId}`;
  const capture = (more: object = {}) => ({
    id: captureId,
    status: 'COMPLETED',
    amount: eur('10.00'),
    payee,
    custom_id: purchase.id,
    supplementary_data: { related_ids: { order_id: orderId } },
    ...more,
  });
  const order = (status: string, captures?: object[]) => ({
    id: orderId,
    intent: 'CAPTURE',
    status,
    purchase_units: [
      {
        custom_id: purchase.id,
        payee,
        amount: eur('10.00'),
        ...(captures ? { payments: { captures } } : {}),
      },
    ],
  });
  const purchase = { id: '', orderId, captureId, capture, order, path };
  fake.on('POST', '/v2/checkout/orders', ({ body }: { body: any }) => {
    purchase.id = body.purchase_units[0].custom_id;
    const approval = { rel: 'payer-action', href: `https://www.sandbox.paypal.com/${orderId}` };
    return json({ ...order('PAYER_ACTION_REQUIRED'), links: [approval] }, 201);
  });
  const { status, body } = await post(service, holder, 'purchase', {
    packageId: 'standard',
    provider: 'paypal',
  });
  expect([status, body.checkoutUrl]).toEqual([200, `https://www.sandbox.paypal.com/${orderId}`]);
  expect(body.purchaseId).toBe(purchase.id);
  fake.on('GET', path, () => json(order('PAYER_ACTION_REQUIRED')));
  return purchase;
};

const send = async (sent: string, headers: Record<string, string>) => {
  const answer = await fetch(`${service.url}/api/v1/webhooks/paypal`, {
    method: 'POST',
    headers,
    body: sent,
  });
  return { status: answer.status, body: (await answer.json()) as any };
};
const tell = async (type: string, resource: object, signing: Partial<Signing> = {}) => {
  const event = eventOf(type, resource);
  const body = JSON.stringify(event);
  const answer = await send(body, signDelivery(body, clock, { key: signer.key, ...signing }));
  return { ...answer, event };
};
/** What is noted of a delivery that was refused. */
const notedOf = async (eventId: string) => {
  const found = (await readAsAdministrator('refused-deliveries?limit=200')) as any[];
  return found.find(({ body }) => body.includes(eventId));
};
const verdictOf = async (eventId: string) => {
  const found = (await readAsAdministrator('events?limit=200')) as any[];
  return found.find(({ providerEventId }) => providerEventId === eventId);
};

describe('a purchase by PayPal', () => {
  test('is captured when PayPal says that it is approved, and paid once whatever else is told', async () => {
    const purchase = await buy();
    const paid = purchase.order('COMPLETED', [purchase.capture()]);
    fake.on('GET', purchase.path, () => json(purchase.order('APPROVED')));
    fake.on('POST', `${purchase.path}/capture`, () => json(paid, 201));
    expect(await tell('CHECKOUT.ORDER.APPROVED', purchase.order('APPROVED'))).toMatchObject({ status: 200 });
    expect(await money()).toBe(1000);
    fake.on('GET', purchase.path, () => json(paid));
    const first = await tell('PAYMENT.CAPTURE.COMPLETED', purchase.capture());
    const body = JSON.stringify(first.event);
    expect((await send(body, signDelivery(body, clock, signer))).status).toBe(200);
    await tell('CHECKOUT.ORDER.APPROVED', purchase.order('APPROVED'));
    await tell('PAYMENT.CAPTURE.PENDING', purchase.capture({ status: 'PENDING' }));
    expect(await money()).toBe(1000);
    expect(await verdictOf(first.event.id)).toMatchObject({ outcome: 'applied', isLive: false });
    expect(await readOwn(service, holder, `purchase/${purchase.id}`)).toMatchObject({ status: 'completed' });
  });

  test('is captured by whoever asks for it, when no event comes', async () => {
    const purchase = await buy();
    fake.on('GET', purchase.path, () => json(purchase.order('APPROVED')));
    fake.on('POST', `${purchase.path}/capture`, () =>
      json(purchase.order('COMPLETED', [purchase.capture()]), 201),
    );
    expect(await readOwn(service, holder, `purchase/${purchase.id}`)).toMatchObject({
      status: 'completed',
      creditsReceived: 1000,
    });
  });

  test('goes back as far as it was refunded or is disputed, and comes again when that is won', async () => {
    const purchase = await buy();
    const up = [
      { rel: 'up', href: `https://api.sandbox.paypal.com/v2/payments/captures/${purchase.captureId}` },
    ];
    const refund = { id: newId(), status: 'COMPLETED', amount: eur('4.00'), links: up };
    // The refund is heard of first.
    await tell('PAYMENT.CAPTURE.REFUNDED', refund);
    expect(await money()).toBe(0);
    await tell('PAYMENT.CAPTURE.COMPLETED', purchase.capture());
    expect(await money()).toBe(600);
    const dispute = (more: object) => ({
      dispute_id: `PP-D-${newId()}`,
      dispute_amount: eur('6.00'),
      disputed_transactions: [{ seller_transaction_id: purchase.captureId }],
      ...more,
    });
    const open = dispute({ status: 'OPEN' });
    await tell('PAYMENT.CAPTURE.REVERSED', {
      id: newId(),
      status: 'COMPLETED',
      amount: eur('6.00'),
      links: up,
    });
    expect(await money()).toBe(0);
    await tell('CUSTOMER.DISPUTE.CREATED', open);
    expect(await money()).toBe(0);
    const won = { ...open, status: 'RESOLVED', dispute_outcome: { outcome_code: 'RESOLVED_SELLER_FAVOUR' } };
    await tell('CUSTOMER.DISPUTE.RESOLVED', won);
    await tell('CUSTOMER.DISPUTE.UPDATED', open);
    expect(await money()).toBe(600);
  });
});

describe('a delivery that is refused', () => {
  const cases: [string, string, Partial<Signing>][] = [
    ['is signed by somebody else', 'payments.signature_invalid', { key: stranger.key }],
    ['was sent too long ago', 'payments.delivery_too_old', { time: '2026-03-01T11:54:00Z' }],
    ['is for another webhook', 'payments.signature_invalid', { webhookId: '1JE4291016473214C' }],
    [
      'is of the other mode',
      'payments.wrong_mode',
      { address: 'https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594' },
    ],
    [
      'has its certificate elsewhere',
      'payments.signature_invalid',
      { address: 'https://api.sandbox.paypal.com.evil.example/v1/notifications/certs/CERT-1' },
    ],
    [
      'has a certificate of its own making',
      'payments.signature_invalid',
      { key: stranger.key, address: addressOf('self-signed') },
    ],
    [
      'has a certificate that has expired',
      'payments.signature_invalid',
      { key: expired.key, address: addressOf('expired') },
    ],
  ];

  test.each(cases)('because it %s has no effect and is noted', async (_what, code, signing) => {
    const purchase = await buy();
    const { status, body, event } = await tell('PAYMENT.CAPTURE.COMPLETED', purchase.capture(), signing);
    expect([status, body.code]).toEqual([400, code]);
    expect(await money()).toBe(0);
    expect(await notedOf(event.id)).toMatchObject({ provider: 'paypal', code });
    // The id of the true event is still free.
    expect(await verdictOf(event.id)).toBeUndefined();
    const text = JSON.stringify(event);
    expect((await send(text, signDelivery(text, clock, signer))).status).toBe(200);
    expect(await money()).toBe(1000);
  });

  test('because its body was written anew has no effect and is noted', async () => {
    const purchase = await buy();
    const event = eventOf('PAYMENT.CAPTURE.COMPLETED', purchase.capture());
    const headers = signDelivery(JSON.stringify(event), clock, signer);
    const { status, body } = await send(JSON.stringify(event, null, 1), headers);
    expect([status, body.code]).toEqual([400, 'payments.signature_invalid']);
    expect(await money()).toBe(0);
    expect(await notedOf(event.id)).toMatchObject({ code: 'payments.signature_invalid' });
  });

  test('because it is no event is noted', async () => {
    expect((await send('', { 'content-type': 'application/json' })).body.code).toBe('request.invalid');
    expect((await send('{}', signDelivery('{}', clock, signer))).body.code).toBe('request.invalid');
    const noted = (await readAsAdministrator('refused-deliveries?limit=200')) as any[];
    for (const body of ['', '{}'])
      expect(noted).toContainEqual(
        expect.objectContaining({ provider: 'paypal', code: 'request.invalid', body }),
      );
  });

  test('because its certificate cannot be had is asked for again', async () => {
    const purchase = await buy();
    fake.on('GET', addressOf('away'), () => Promise.reject(new TypeError('fetch failed')));
    const signing = { address: addressOf('away') };
    const { status, body, event } = await tell('PAYMENT.CAPTURE.COMPLETED', purchase.capture(), signing);
    expect([status, body.code]).toEqual([503, 'payments.provider_unavailable']);
    fake.on('GET', addressOf('away'), () => new Response(signer.pem));
    const text = JSON.stringify(event);
    expect((await send(text, signDelivery(text, clock, { ...signer, ...signing }))).status).toBe(200);
    expect(await money()).toBe(1000);
  });
});

describe('an event of PayPal that does not fit the purchase', () => {
  test.each([
    ['another currency', { amount: { currency_code: 'USD', value: '10.00' } }, 'wrong_currency'],
    ['another amount', { amount: eur('9.99') }, 'wrong_amount'],
    ['one more cent', { amount: eur('10.01') }, 'wrong_amount'],
  ])('because of %s is kept, and has no effect', async (_what, more, reason) => {
    const purchase = await buy();
    const { status, event } = await tell('PAYMENT.CAPTURE.COMPLETED', purchase.capture(more));
    expect(status).toBe(200);
    expect(await verdictOf(event.id)).toMatchObject({ outcome: 'refused', reason });
    expect(await money()).toBe(0);
  });

  test('because it names the purchase of somebody else is kept, and has no effect for either', async () => {
    const victim = holder;
    const theirs = await buy();
    holder = await addWalletHolder(service);
    const own = await buy();
    const tampered = own.capture({ custom_id: theirs.id });
    const { status, event } = await tell('PAYMENT.CAPTURE.COMPLETED', tampered);
    expect(status).toBe(200);
    expect(await verdictOf(event.id)).toMatchObject({ outcome: 'refused', reason: 'wrong_purchase' });
    expect((await readOwn(service, victim, 'balance')).balance).toBe(0);
  });

  test('because it is about nothing that is known waits, and has no effect', async () => {
    const purchase = await buy();
    const foreign = purchase.capture({
      id: newId(),
      custom_id: 'order 17',
      supplementary_data: { related_ids: { order_id: newId() } },
    });
    const { status, event } = await tell('PAYMENT.CAPTURE.COMPLETED', foreign);
    expect(status).toBe(200);
    expect(await verdictOf(event.id)).toMatchObject({ outcome: 'waiting' });
    expect(await money()).toBe(0);
  });
});
