import { describe, expect, test } from 'vitest';
import { codeOf, json, openAdapter, payee, refusalOf, wanted } from '../../../../test/harness/paypal.ts';

const orderId = '5O190127TN364715T';
const orderPath = `/v2/checkout/orders/${orderId}`;
const created = {
  id: orderId,
  status: 'CREATED',
  purchase_units: [{ payee, amount: { currency_code: 'EUR', value: '10.00' } }],
};

describe('the access token', () => {
  test('is asked for once for all calls, by HTTP Basic, and anew before it ends', async () => {
    const { fake, provider, clock } = openAdapter();
    fake.on('GET', orderPath, created);
    await Promise.all(Array.from({ length: 5 }, () => provider.readCheckout(orderId)));
    expect(fake.count('/v1/oauth2/token')).toBe(1);
    const [first] = fake.asked;
    expect(first?.headers.get('authorization')).toBe(
      `Basic ${Buffer.from('client:a secret of the app').toString('base64')}`,
    );
    expect(String(first?.body)).toBe('grant_type=client_credentials');
    expect(fake.asked.at(-1)?.headers.get('authorization')).toBe('Bearer A21AA-token');
    clock.advance({ hours: 8 });
    await provider.readCheckout(orderId);
    expect(fake.count('/v1/oauth2/token')).toBe(1);
    clock.advance({ hours: 1 });
    await provider.readCheckout(orderId);
    expect(fake.count('/v1/oauth2/token')).toBe(2);
  });

  test('that PayPal has taken back is replaced, once', async () => {
    const { fake, provider } = openAdapter();
    let left = 1;
    fake.on('GET', orderPath, () => (left-- > 0 ? json({}, 401) : json(created)));
    expect(await provider.readCheckout(orderId)).toMatchObject({ status: 'open' });
    expect(fake.count('/v1/oauth2/token')).toBe(2);
    fake.on('GET', orderPath, () => json(refusalOf('AUTHENTICATION_FAILURE'), 401));
    expect(await codeOf(provider.readCheckout(orderId))).toBe('payments.provider_refused');
    expect(fake.count(orderPath)).toBe(4);
  });

  test('that is refused says so without the secret', async () => {
    const { fake, provider } = openAdapter();
    fake.on('POST', '/v1/oauth2/token', () =>
      json({ error: 'invalid_client' }, 401, { 'paypal-debug-id': 'f00' }),
    );
    const error: any = await provider.readCheckout(orderId).catch((thrown: unknown) => thrown);
    expect(error.code).toBe('payments.provider_refused');
    expect(error.cause.message).toContain('401');
    expect(error.cause.message).toContain('f00');
    expect(JSON.stringify([error, error.cause.message, error.cause.stack])).not.toContain(
      'secret of the app',
    );
  });
});

describe('a call', () => {
  test.each([
    ['fails', () => Promise.reject(new TypeError('fetch failed'))],
    ['ends in 500', () => json({}, 500)],
    ['is one too many', () => json(refusalOf('RATE_LIMIT_REACHED'), 429)],
    ['is redirected', () => new Response('', { status: 302, headers: { location: 'https://evil.example' } })],
    ['is answered with a page', () => new Response('<html></html>')],
    ['is answered with something else', () => json({ id: 7 })],
    [
      'is under way already',
      () => json(refusalOf('UNPROCESSABLE_ENTITY', 'PREVIOUS_REQUEST_IN_PROGRESS'), 422),
    ],
  ])('that %s says nothing about what came of it', async (_what, reply) => {
    const { fake, provider } = openAdapter();
    fake.on('POST', '/v2/checkout/orders', reply);
    expect(await codeOf(provider.openCheckout(wanted()))).toBe('payments.provider_unavailable');
  });

  test('that PayPal refuses is refused', async () => {
    const { fake, provider } = openAdapter();
    fake.on('POST', '/v2/checkout/orders', () =>
      json(refusalOf('UNPROCESSABLE_ENTITY', 'CURRENCY_NOT_SUPPORTED'), 422),
    );
    const error: any = await provider.openCheckout(wanted()).catch((thrown: unknown) => thrown);
    expect(error.code).toBe('payments.provider_refused');
    expect(error.cause.message).toContain('CURRENCY_NOT_SUPPORTED');
  });
});
