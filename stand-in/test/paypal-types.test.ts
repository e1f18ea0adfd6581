import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { comparePayPalAnswers, type Answer } from './compile-answers.ts';
import { approvalUrlOf, paypalOrder, startBench, type Bench } from './harness.ts';

const adapterDir = join(import.meta.dirname, '../../server/src/domains/payments/paypal');
const pages = { return_url: 'http://localhost:3001/thanks', cancel_url: 'http://localhost:3001' };

type Ask = (call: string, type: string, body?: unknown, id?: string, query?: string) => Promise<any>;

/** Makes every call of PayPal's that the service makes, in each state that its answers have fields for. */
async function callPayPal(bench: Bench): Promise<Answer[]> {
  const answers: Answer[] = [];
  /** Makes a call, such as `GET /v2/checkout/orders/:id`, and keeps its answer with the name of its type. */
  const ask: Ask = async (call, type, body, id = '', query = '') => {
    const [method = '', path = ''] = call.split(' ');
    const { body: value } = await bench.paypal(method, path.replace(':id', id) + query, body);
    if (value !== undefined) answers.push({ name: call, type: `PayPal.${type}`, value });
    return value;
  };
  answers.push({ name: 'POST /v1/oauth2/token', type: 'PayPal.Token', value: await askForToken(bench) });
  await buyPacks(bench, ask);
  await subscribe(bench, ask);
  await ask('GET /v1/customer/disputes', 'DisputeList');
  bench.wait(1);
  const times = new URLSearchParams({
    start_date: '2026-03-01T00:00:00Z',
    end_date: '2026-03-31T00:00:00Z',
    fields: 'transaction_info',
  });
  await ask('GET /v1/reporting/transactions', 'TransactionReport', undefined, '', `?${times.toString()}`);
  await bench.deliver();
  for (const { event } of bench.received)
    answers.push({ name: `webhook ${event.event_type}`, type: 'PayPal.WebhookEvent', value: event });
  return answers;
}

async function askForToken({ settings }: Bench): Promise<unknown> {
  const credentials = `${settings.PAYPAL_CLIENT_ID}:${settings.PAYPAL_CLIENT_SECRET}`;
  const response = await fetch(`${settings.PAYPAL_API_BASE}/v1/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return response.json();
}

async function buyPacks({ choose, act }: Bench, ask: Ask): Promise<void> {
  const captures: string[] = [];
  for (const choice of ['pay', 'pay', 'pay', 'pay-later', 'fail-later', 'decline'] as const) {
    const order = structuredClone(paypalOrder);
    order.purchase_units[0]!.invoice_id = `invoice-${captures.length}-${choice}`;
    const { id, ...opened } = await ask('POST /v2/checkout/orders', 'Order', order);
    await choose(approvalUrlOf(opened), choice);
    await ask('GET /v2/checkout/orders/:id', 'Order', undefined, id);
    const type = choice === 'decline' ? 'Refusal' : 'Order';
    const captured = await ask('POST /v2/checkout/orders/:id/capture', type, {}, id);
    const capture = captured.purchase_units?.[0].payments.captures[0];
    if (capture) captures.push(capture.id);
    await ask('GET /v2/checkout/orders/:id', 'Order', undefined, id);
  }
  act('advance', { minutes: 2 });
  const [first = '', second = '', third = ''] = captures;
  const part = { amount: { currency_code: 'EUR', value: '1.00' }, custom_id: 'one', note_to_payer: 'Agreed' };
  const refund = await ask('POST /v2/payments/captures/:id/refund', 'Refund', part, first);
  act('end-refund', { refund: refund.id, outcome: 'failed' });
  await ask('POST /v2/payments/captures/:id/refund', 'Refund', {}, first);
  await ask('POST /v2/payments/captures/:id/refund', 'Refusal', {}, first);
  for (const capture of captures) await ask('GET /v2/payments/captures/:id', 'Capture', undefined, capture);
  for (const [payment, outcome] of [
    [second, 'won'],
    [third, 'lost'],
  ] as const) {
    const dispute = act('dispute', { payment })?.id ?? '';
    await ask('GET /v1/customer/disputes/:id', 'Dispute', undefined, dispute);
    act('close-dispute', { dispute, outcome });
    await ask('GET /v1/customer/disputes/:id', 'Dispute', undefined, dispute);
  }
}

async function subscribe({ choose, act, world }: Bench, ask: Ask): Promise<void> {
  const product = { id: 'OBOL-PLANS', name: 'Credits', type: 'DIGITAL' };
  await ask('GET /v1/catalogs/products/:id', 'Refusal', undefined, product.id);
  await ask('POST /v1/catalogs/products', 'Product', product);
  await ask('GET /v1/catalogs/products/:id', 'Product', undefined, product.id);
  const makePlan = async (value: string): Promise<string> => {
    const cycle = { tenure_type: 'REGULAR', sequence: 1, total_cycles: 0 };
    const frequency = { interval_unit: 'MONTH', interval_count: 1 };
    const pricing = { fixed_price: { currency_code: 'EUR', value } };
    const made = await ask('POST /v1/billing/plans', 'Plan', {
      product_id: product.id,
      name: `Plan for ${value}`,
      status: 'ACTIVE',
      billing_cycles: [{ ...cycle, frequency, pricing_scheme: pricing }],
      payment_preferences: { auto_bill_outstanding: true, payment_failure_threshold: 2 },
    });
    await ask('GET /v1/billing/plans/:id', 'Plan', undefined, made.id);
    return made.id;
  };
  const [small, large] = [await makePlan('9.00'), await makePlan('19.00')];
  const subscriptions: string[] = [];
  const read = (id: string) => ask('GET /v1/billing/subscriptions/:id', 'Subscription', undefined, id);
  for (const declines of [false, true]) {
    const order = { plan_id: small, custom_id: 'one', application_context: pages };
    const opened = await ask('POST /v1/billing/subscriptions', 'Subscription', order);
    await choose(approvalUrlOf(opened), 'pay');
    await read(opened.id);
    if (declines) act('decline-renewals', { subscription: opened.id, declines: 'yes' });
    subscriptions.push(opened.id);
  }
  const [id = '', declined = ''] = subscriptions;
  const change = { plan_id: large, application_context: pages };
  const path = 'POST /v1/billing/subscriptions/:id/revise';
  const revised = await ask(path, 'RevisedSubscription', change, id);
  await choose(approvalUrlOf(revised), 'pay');
  act('advance', { days: 32 });
  await read(declined);
  act('advance', { days: 6 });
  await read(declined);
  const [bill, reversed] = Object.values(world.state.paypal.sales).filter(
    (sale) => sale.billing_agreement_id === id,
  );
  act('refund', { payment: bill?.id ?? '' });
  const dispute = act('dispute', { payment: reversed?.id ?? '' })?.id ?? '';
  act('close-dispute', { dispute, outcome: 'lost' });
  const payments = 'GET /v1/billing/subscriptions/:id/transactions';
  const times = '?start_time=2026-03-01T00:00:00Z&end_time=2026-06-01T00:00:00Z';
  await ask(payments, 'SubscriptionPayments', undefined, id, times);
  await ask('POST /v1/billing/subscriptions/:id/cancel', 'Subscription', { reason: 'As asked' }, id);
  await read(id);
}

/** The paths of PayPal's API that the adapter calls. */
function pathsOfService(): string[] {
  const texts = readdirSync(adapterDir)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(adapterDir, name), 'utf8').replaceAll(/\$\{[^`]*?\}(?=[/`])/g, ':id'));
  const found = texts.flatMap((text) => [...text.matchAll(/['`](\/v[12]\/[^'`]*)['`]/g)]);
  const paths = found.map(([, path = '']) => path);
  // Those that end with a slash are looked for in links, not called.
  return [...new Set(paths)].filter((path) => !path.endsWith('/'));
}

describe('the answers of PayPal', () => {
  let answers: Answer[] = [];
  beforeAll(async () => {
    answers = await callPayPal(await startBench());
  });

  test('have the fields of PayPal’s reference, of their types, and no other', async () => {
    expect(await comparePayPalAnswers(answers)).toEqual([]);
  });

  test('are compared for every call that the service makes, and for every event that is told', () => {
    const compared = new Set(answers.map(({ name }) => name.split(' ')[1]));
    const paths = pathsOfService();
    expect(paths.length).toBeGreaterThan(12);
    // It has no answer but its status.
    const silent = new Set(['/v1/billing/subscriptions/:id/cancel']);
    expect(paths.filter((path) => !compared.has(path) && !silent.has(path))).toEqual([]);
    const events = new Set(answers.map(({ name }) => /^webhook (.*)/.exec(name)?.[1] ?? ''));
    events.delete('');
    const inOrder = [...events].toSorted((one, other) => one.localeCompare(other));
    expect(inOrder).toEqual([
      'BILLING.SUBSCRIPTION.ACTIVATED',
      'BILLING.SUBSCRIPTION.CANCELLED',
      'BILLING.SUBSCRIPTION.CREATED',
      'BILLING.SUBSCRIPTION.PAYMENT.FAILED',
      'BILLING.SUBSCRIPTION.SUSPENDED',
      'BILLING.SUBSCRIPTION.UPDATED',
      'CHECKOUT.ORDER.APPROVED',
      'CUSTOMER.DISPUTE.CREATED',
      'CUSTOMER.DISPUTE.RESOLVED',
      'PAYMENT.CAPTURE.COMPLETED',
      'PAYMENT.CAPTURE.DENIED',
      'PAYMENT.CAPTURE.PENDING',
      'PAYMENT.CAPTURE.REFUNDED',
      'PAYMENT.CAPTURE.REVERSED',
      'PAYMENT.REFUND.FAILED',
      'PAYMENT.SALE.COMPLETED',
      'PAYMENT.SALE.REFUNDED',
      'PAYMENT.SALE.REVERSED',
    ]);
  });

  test('would be found to be wrong if they were', async () => {
    const type = 'PayPal.Dispute';
    const dispute = answers.find((answer) => answer.type === type)?.value as Record<string, unknown>;
    const { dispute_amount: _, ...incomplete } = dispute;
    const wrong: Answer[] = [
      { name: 'a field is missing', type, value: incomplete },
      { name: 'a field is unknown', type, value: { ...dispute, colour: 'blue' } },
      { name: 'a field has another type', type, value: { ...dispute, dispute_amount: '5.00' } },
      { name: 'a word is unknown', type, value: { ...dispute, status: 'LOST' } },
    ];
    const found = await comparePayPalAnswers(wrong);
    for (const { name } of wrong)
      expect(
        found.some((line) => line.startsWith(name)),
        name,
      ).toBe(true);
  });
});
