import { describe, expect, test } from 'vitest';
import { centsPerUnit, moneyText } from '../src/lib/amount-text.ts';
import { expectPage, startTestProvider, TestBrowser } from './harness/oauth.ts';
import { createTestProvider } from './harness/payments.ts';
import { codeOf, openAdapter, payee, link, wanted } from './harness/paypal.ts';
import { registerPerson } from './harness/people.ts';
import { startStripeProvider } from './harness/stripe-provider.ts';
import { connectAsOwner } from './harness/wallets.ts';

// An amount is the same wherever it is shown, asked for and heard of.

const { stripe, buy, newId, standIn } = await startStripeProvider();
/** Those that pages write with a sign. */
const known = new Set(['EUR', 'USD', 'GBP']);
const digitsOf = (text: string) => (/\d[\d.,]*/.exec(text)?.[0] ?? '').replaceAll(',', '');

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
])('%s is counted alike in mails and in caps', (currency, cents, shown) => {
  expect(digitsOf(moneyText(cents, currency))).toBe(shown);
  expect(cents).toBe(3990 * centsPerUnit(currency));
});

test('pages show every currency with the decimals that it is counted with', async () => {
  const service = await startTestProvider({ paymentProviders: [createTestProvider()] });
  const owner = await connectAsOwner(service);
  const currencies = Intl.supportedValuesOf('currency').filter((currency) => !known.has(currency));
  for (const currency of currencies) {
    const price_cents = 3990 * centsPerUnit(currency);
    await owner.query(
      `insert into credits.packages
         select (jsonb_populate_record(p, $1)).* from credits.packages p where p.id = 'standard'`,
      [JSON.stringify({ id: currency.toLowerCase(), name: currency, currency, price_cents })],
    );
  }
  const browser = new TestBrowser(service);
  const person = await registerPerson(service);
  const shown = await browser.open('/credits');
  if (shown instanceof URL) throw new Error('the browser left');
  const { text } = expectPage(await browser.submit(shown, person), 'credits');
  const wrong = currencies.filter((currency) => {
    const found = new RegExp(`>${currency}\u00a0(3,990[.\\d]*)<`).exec(text)?.[1] ?? '';
    return digitsOf(found) !== digitsOf(moneyText(3990 * centsPerUnit(currency), currency));
  });
  expect(wrong).toEqual([]);
  expect(currencies.length).toBeGreaterThan(140);
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
    const part = 90 * centsPerUnit(currency);
    const asked = { refundRequestId: newId(), paymentId, amountCents: part, currency, reason: 'x' };
    expect(await stripe.refund(asked)).toMatchObject({ amountCents: part, currency });
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
