import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileAnswers, type Answer } from './compile-answers.ts';
import { idOf } from '../stripe/wire.ts';
import { packOrder, startBench, type Bench } from './harness.ts';

const adapterDir = join(import.meta.dirname, '../../server/src/domains/payments/stripe');
const everything = { limit: 100 };

/** Drives the real SDK through every call, in each state that its answers have fields for. */
async function driveSdk(bench: Bench): Promise<Answer[]> {
  const answers: Answer[] = [];
  const add = <Value>(name: string, type: string, value: Value): Value => {
    answers.push({ name, type: `Stripe.${type}`, value });
    return value;
  };
  await buyPacks(bench, add);
  await moveMoneyBack(bench, add);
  await subscribe(bench, add);
  const { stripe } = bench;
  add(
    'radar.earlyFraudWarnings.list',
    'ApiList<Stripe.Radar.EarlyFraudWarning>',
    await stripe.radar.earlyFraudWarnings.list(),
  );
  add('events.list', 'ApiList<Stripe.Event>', revive(await stripe.events.list(everything)));
  const [event] = (await stripe.events.list({ limit: 1 })).data;
  add('events.retrieve', 'Event', revive(await stripe.events.retrieve(event?.id ?? '')));
  await bench.deliver();
  for (const { event: delivered } of bench.received)
    add(`webhook ${delivered.type}`, 'Event', revive(delivered));
  return answers;
}

type Add = <Value>(name: string, type: string, value: Value) => Value;

async function buyPacks({ stripe, choose, act, ...bench }: Bench, add: Add): Promise<void> {
  const created = add(
    'checkout.sessions.create',
    'Checkout.Session',
    await stripe.checkout.sessions.create(packOrder),
  );
  await choose(created.url ?? '', 'decline');
  add('checkout.sessions.retrieve', 'Checkout.Session', await stripe.checkout.sessions.retrieve(created.id));
  await choose(created.url ?? '', 'pay');
  const expand = ['line_items', 'customer', 'payment_intent.latest_charge'];
  add(
    'checkout.sessions.retrieve',
    'Checkout.Session',
    await stripe.checkout.sessions.retrieve(created.id, { expand }),
  );
  add(
    'checkout.sessions.listLineItems',
    'ApiList<Stripe.LineItem>',
    await stripe.checkout.sessions.listLineItems(created.id),
  );
  const customer = await stripe.customers.create({ email: 'bo@example.com', metadata: { user: 'two' } });
  add('customers.create', 'Customer', customer);
  for (const choice of ['pay-later', 'fail-later'] as const) {
    const { customer_email: _, ...order } = packOrder;
    const session = await stripe.checkout.sessions.create({ ...order, customer: customer.id });
    await choose(session.url ?? '', choice);
    add(
      'checkout.sessions.retrieve',
      'Checkout.Session',
      await stripe.checkout.sessions.retrieve(session.id),
    );
  }
  add('paymentIntents.list', 'ApiList<Stripe.PaymentIntent>', await stripe.paymentIntents.list(everything));
  act('advance', { minutes: 2 });
  const open = await stripe.checkout.sessions.create({ ...packOrder, automatic_tax: { enabled: true } });
  add('checkout.sessions.expire', 'Checkout.Session', await stripe.checkout.sessions.expire(open.id));
  const saving = await stripe.checkout.sessions.create({
    ...packOrder,
    customer_creation: 'always',
    invoice_creation: { enabled: true },
    payment_intent_data: { ...packOrder.payment_intent_data, setup_future_usage: 'off_session' },
  });
  await choose(saving.url ?? '', 'pay');
  const saved = await stripe.checkout.sessions.retrieve(saving.id);
  await chargeSavedCard({ stripe, choose, act, ...bench }, add, idOf(saved.customer) ?? '');
  add(
    'checkout.sessions.list',
    'ApiList<Stripe.Checkout.Session>',
    await stripe.checkout.sessions.list(everything),
  );
  add('paymentIntents.list', 'ApiList<Stripe.PaymentIntent>', await stripe.paymentIntents.list(everything));
  add('charges.list', 'ApiList<Stripe.Charge>', await stripe.charges.list(everything));
  add('customers.list', 'ApiList<Stripe.Customer>', await stripe.customers.list());
}

async function chargeSavedCard({ stripe, act }: Bench, add: Add, customer: string): Promise<void> {
  add('customers.retrieve', 'Customer | Stripe.DeletedCustomer', await stripe.customers.retrieve(customer));
  const methods = add(
    'customers.listPaymentMethods',
    'ApiList<Stripe.PaymentMethod>',
    await stripe.customers.listPaymentMethods(customer, { type: 'card' }),
  );
  add('paymentMethods.list', 'ApiList<Stripe.PaymentMethod>', await stripe.paymentMethods.list({ customer }));
  const method = methods.data[0]?.id ?? '';
  add('paymentMethods.retrieve', 'PaymentMethod', await stripe.paymentMethods.retrieve(method));
  const order = {
    amount: 500,
    currency: 'eur',
    customer,
    payment_method: method,
    confirm: true,
    off_session: true,
  };
  const paid = add('paymentIntents.create', 'PaymentIntent', await stripe.paymentIntents.create(order));
  add('paymentIntents.retrieve', 'PaymentIntent', await stripe.paymentIntents.retrieve(paid.id));
  act('decline-card', { paymentMethod: method, declines: 'yes' });
  const error: any = await stripe.paymentIntents.create(order).catch((refusal: unknown) => refusal);
  add('paymentIntents.create', 'PaymentIntent', error.payment_intent);
  const settings = { invoice_settings: { default_payment_method: method } };
  add('customers.update', 'Customer', await stripe.customers.update(customer, settings));
  await openPortal(stripe, customer, add);
  add('paymentMethods.detach', 'PaymentMethod', await stripe.paymentMethods.detach(method));
}

async function openPortal(stripe: Bench['stripe'], customer: string, add: Add): Promise<void> {
  const { configurations, sessions } = stripe.billingPortal;
  const type = 'BillingPortal.Configuration';
  const features = { subscription_update: { enabled: true } };
  const made = add('billingPortal.configurations.create', type, await configurations.create({ features }));
  const listed = await configurations.list({ active: true });
  add('billingPortal.configurations.list', 'ApiList<Stripe.BillingPortal.Configuration>', listed);
  const cancel = { subscription_cancel: { enabled: true, mode: 'at_period_end' } } as const;
  const changed = await configurations.update(made.id, { features: cancel });
  add('billingPortal.configurations.update', type, changed);
  const order = { customer, return_url: 'http://localhost:3001', configuration: made.id };
  add('billingPortal.sessions.create', 'BillingPortal.Session', await sessions.create(order));
}

async function moveMoneyBack({ stripe, act }: Bench, add: Add): Promise<void> {
  const paid = (await stripe.charges.list(everything)).data.filter(({ paid }) => paid);
  const intents = paid.map(({ payment_intent: intent }) => idOf(intent) ?? '');
  const [first = '', second = '', third = ''] = intents;
  const metadata = { refundRequest: 'one' };
  const part = await stripe.refunds.create({
    payment_intent: first,
    amount: 100,
    metadata,
    reason: 'requested_by_customer',
  });
  add('refunds.create', 'Refund', part);
  add('refunds.create', 'Refund', await stripe.refunds.create({ payment_intent: second }));
  act('end-refund', { refund: part.id, outcome: 'failed' });
  add('refunds.retrieve', 'Refund', await stripe.refunds.retrieve(part.id));
  add('refunds.list', 'ApiList<Stripe.Refund>', await stripe.refunds.list(everything));
  const charge = String(paid[1]?.id);
  add('charges.retrieve', 'Charge', await stripe.charges.retrieve(charge, { expand: ['refunds'] }));
  act('warn-of-fraud', { payment: third });
  const lost = act('dispute', { payment: third })?.id ?? '';
  const won = act('dispute', { payment: first })?.id ?? '';
  act('close-dispute', { dispute: won, outcome: 'won' });
  add('disputes.retrieve', 'Dispute', await stripe.disputes.retrieve(won));
  add('disputes.close', 'Dispute', await stripe.disputes.close(lost));
  add('disputes.list', 'ApiList<Stripe.Dispute>', await stripe.disputes.list());
}

async function subscribe(bench: Bench, add: Add): Promise<void> {
  const { stripe, act } = bench;
  const product = add('products.create', 'Product', await stripe.products.create({ name: 'Plus' }));
  add('products.retrieve', 'Product', await stripe.products.retrieve(product.id));
  const recurring = { interval: 'month' } as const;
  const price = { currency: 'eur', recurring, tax_behavior: 'inclusive', product: product.id } as const;
  const small = await stripe.prices.create({ ...price, unit_amount: 900, lookup_key: 'plus' });
  const large = await stripe.prices.create({ ...price, unit_amount: 1900 });
  add('prices.create', 'Price', small);
  add('prices.retrieve', 'Price', await stripe.prices.retrieve(large.id));
  add(
    'prices.list',
    'ApiList<Stripe.Price>',
    await stripe.prices.list({ lookup_keys: ['plus'], active: true }),
  );
  const id = await begin(bench, add, small.id);
  const begun = add('subscriptions.retrieve', 'Subscription', await stripe.subscriptions.retrieve(id));
  act('advance', { days: 10 });
  const items = [{ id: begun.items.data[0]?.id ?? '', price: large.id }];
  const change = {
    items,
    proration_behavior: 'always_invoice',
    payment_behavior: 'error_if_incomplete',
  } as const;
  add('subscriptions.update', 'Subscription', await stripe.subscriptions.update(id, change));
  act('advance', { days: 31 });
  act('decline-renewals', { subscription: id, declines: 'yes' });
  act('advance', { days: 31 });
  add('subscriptions.retrieve', 'Subscription', await stripe.subscriptions.retrieve(id));
  act('decline-renewals', { subscription: id, declines: 'no' });
  act('advance', { days: 3 });
  const ending = await stripe.subscriptions.update(id, { cancel_at_period_end: true });
  add('subscriptions.update', 'Subscription', ending);
  act('advance', { days: 31 });
  add(
    'subscriptions.list',
    'ApiList<Stripe.Subscription>',
    await stripe.subscriptions.list({ status: 'all' }),
  );
  const other = await begin(bench, add, small.id);
  add('subscriptions.cancel', 'Subscription', await stripe.subscriptions.cancel(other));
  const bills = await stripe.invoices.list({ ...everything, subscription: id, expand: ['data.payments'] });
  add('invoices.list', 'ApiList<Stripe.Invoice>', bills);
  add('invoices.retrieve', 'Invoice', await stripe.invoices.retrieve(bills.data[0]?.id ?? ''));
  const payments = await stripe.invoicePayments.list({ invoice: bills.data[0]?.id ?? '' });
  add('invoicePayments.list', 'ApiList<Stripe.InvoicePayment>', payments);
}

/** Subscribes somebody new to a price. Returns the id of the subscription. */
async function begin({ stripe, choose }: Bench, add: Add, price: string): Promise<string> {
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price, quantity: 1 }],
    success_url: packOrder.success_url,
    customer_email: 'cleo@example.com',
    subscription_data: { metadata: { subscription: 'one' } },
  });
  add('checkout.sessions.create', 'Checkout.Session', session);
  await choose(session.url ?? '', 'pay');
  return idOf((await stripe.checkout.sessions.retrieve(session.id)).subscription) ?? '';
}

/** The SDK leaves the decimals within events as texts, whatever it declares. */
function revive(events: object): unknown {
  return JSON.parse(JSON.stringify(events), (name, value: unknown) =>
    name.endsWith('_decimal') && typeof value === 'string' ? new Map() : value,
  );
}

/** The calls of the SDK that the service makes, such as `refunds.create`. */
function callsOfService(): string[] {
  const texts = readdirSync(adapterDir)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(adapterDir, name), 'utf8').replaceAll(/\s+/g, ''));
  const found = texts.flatMap((text) => [...text.matchAll(/\bstripe\.((?:[a-zA-Z]+\.)+[a-zA-Z]+)\(/g)]);
  return [...new Set(found.map(([, call = '']) => call))].filter(
    (call) => !/^(errors|webhooks)\./.test(call),
  );
}

describe('the answers to Stripe’s SDK', () => {
  let answers: Answer[] = [];
  beforeAll(async () => {
    answers = await driveSdk(await startBench());
  });

  test('have every field of the SDK’s types, of its type, and no other', async () => {
    expect(await compileAnswers(answers)).toEqual([]);
  });

  test('are compared for every call that the service makes', () => {
    const compared = new Set(answers.map(({ name }) => name));
    const calls = callsOfService();
    expect(calls.length).toBeGreaterThan(15);
    expect(calls.filter((call) => !compared.has(call))).toEqual([]);
  });

  test('would be found to be wrong if they were', async () => {
    const session = answers.find(({ name }) => name === 'checkout.sessions.create')?.value as object;
    const { url: _, ...incomplete } = session as { url: string };
    const type = 'Stripe.Checkout.Session';
    const wrong: Answer[] = [
      { name: 'a field is missing', type, value: incomplete },
      { name: 'a field is unknown', type, value: { ...session, colour: 'blue' } },
      { name: 'a field has another type', type, value: { ...session, amount_total: '500' } },
      { name: 'a word is unknown', type, value: { ...session, payment_status: 'settled' } },
    ];
    const found = await compileAnswers(wrong);
    for (const { name } of wrong)
      expect(
        found.some((line) => line.startsWith(name)),
        name,
      ).toBe(true);
  });
});
