import { describe, expect, test } from 'vitest';
import { moneyOf } from '../../web/src/format.ts';
import { centsPerUnit, moneyText } from '../src/lib/amount-text.ts';
import { codeOf, openAdapter, payee, link, wanted } from './harness/paypal.ts';
import { startStripeProvider } from './harness/stripe-provider.ts';

// An amount is the same wherever it is shown, asked for and heard of.

const { stripe, buy, standIn } = await startStripeProvider();
const digitsOf = (text: string) => text.replaceAll(/[^\d.]/g, '');

test.each([
  ['EUR', 399_000, '3990.00'],
  ['HUF', 399_000, '3990.00'],
  ['COP', 399_000, '3990.00'],
  ['IDR', 399_000, '3990.00'],
  ['JPY', 3990, '3990'],
  ['ISK', 3990, '3990'],
  ['UGX', 3990, '3990'],
  ['MGA', 3990, '3990'],
  ['KWD', 3_990_000, '3990.000'],
])('%s is counted alike in mails, on pages and in caps', (currency, cents, shown) => {
  expect(digitsOf(moneyText(cents, currency))).toBe(shown);
  expect(digitsOf(moneyOf(cents, currency))).toBe(shown);
  expect(cents).toBe(3990 * centsPerUnit(currency));
});

describe('Stripe is asked for', () => {
  test.each([
    ['EUR', 399_000],
    ['HUF', 399_000],
    ['JPY', 3990],
    ['ISK', 399_000],
    ['UGX', 399_000],
  ])('3990 %s as %i, and tells of as much as was asked', async (currency, amount) => {
    const amountCents = 3990 * centsPerUnit(currency);
    const { fact, paymentId } = await buy({ amountCents, currency });
    expect(fact).toMatchObject({ amountCents, totalCents: amountCents, currency });
    const { state } = standIn.world;
    const intent = Object.values(state.stripe.paymentIntents).find(({ id }) => id === paymentId);
    expect(intent?.amount).toBe(amount);
    const order = { refundRequestId: '0195f0a0-0000-7000-8000-0000000000aa', paymentId, reason: 'x' };
    const part = 90 * centsPerUnit(currency);
    const refundRequestId = order.refundRequestId.replace('aa', String(amount).slice(0, 2));
    const asked = {
      ...order,
      refundRequestId: `${refundRequestId.slice(0, 33)}${currency.length}00`,
      currency,
    };
    expect(await stripe.refund({ ...asked, amountCents: part })).toMatchObject({
      amountCents: part,
      currency,
    });
  });
});

describe('PayPal is asked for', () => {
  const opened = { id: 'O1', purchase_units: [{ payee }], links: [link('approve')] };
  test.each([
    ['HUF', 399_000, '3990'],
    ['TWD', 399_000, '3990'],
    ['JPY', 3990, '3990'],
    ['EUR', 399_000, '3990.00'],
  ])('3990 %s in full', async (currency, amountCents, value) => {
    const { fake, provider } = openAdapter();
    fake.on('POST', '/v2/checkout/orders', opened);
    await provider.openCheckout(wanted({ amountCents, currency }));
    expect(fake.asked.at(-1)?.body.purchase_units[0].amount).toEqual({ currency_code: currency, value });
  });

  test('nothing that it does not divide', async () => {
    const { provider } = openAdapter();
    for (const currency of ['HUF', 'TWD'])
      expect(await codeOf(provider.openCheckout(wanted({ amountCents: 399_050, currency })))).toBe(
        'payments.provider_refused',
      );
  });
});
