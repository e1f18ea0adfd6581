import { describe, expect, test } from 'vitest';
import { issueCertificate } from '../../../../test/harness/certificates.ts';
import { certificateAddress, eventOf, signDelivery } from '../../../../test/harness/paypal.ts';
import {
  intermediate,
  keepCertificate,
  paypal,
  pemOf,
  stranger,
} from '../../../../test/harness/paypal-deliveries.ts';

describe('a delivery', () => {
  test('is taken when PayPal has signed its very bytes for our webhook just now', async () => {
    const { deliver, fake } = keepCertificate();
    const event = await deliver();
    expect(event).toMatchObject({ type: 'PAYMENT.ORDER.NOTHING', isLive: false, facts: [] });
    expect(event.createdAt.toISOString()).toBe('2026-03-01T12:00:00.000Z');
    expect(fake.count(certificateAddress)).toBe(1);
    // Nothing else is asked: PayPal is not, either.
    expect(fake.asked).toHaveLength(1);
  });

  test('is refused when the signature is of somebody else, of other bytes, or for another webhook', async () => {
    const { codeOf, body } = keepCertificate();
    expect(await codeOf({ key: stranger.key })).toBe('payments.signature_invalid');
    expect(await codeOf({}, JSON.stringify(JSON.parse(body), null, 2))).toBe('payments.signature_invalid');
    expect(await codeOf({}, `${body} `)).toBe('payments.signature_invalid');
    expect(await codeOf({ webhookId: '1JE4291016473214C' })).toBe('payments.signature_invalid');
    expect(await codeOf({ algorithm: 'SHA1withRSA' })).toBe('payments.signature_invalid');
    expect(await codeOf()).toBe('taken');
  });

  test('is refused when what is signed is changed, or missing', async () => {
    const { provider, clock, body } = keepCertificate();
    const good = signDelivery(body, clock, { key: paypal.key });
    const send = (headers: Record<string, string | undefined>) =>
      provider
        .readDelivery(Buffer.from(body), { ...good, ...headers })
        .catch((error: { code?: string }) => error.code);
    expect(await send({ 'paypal-transmission-id': 'another' })).toBe('payments.signature_invalid');
    expect(await send({ 'paypal-transmission-time': '2026-03-01T12:00:01Z' })).toBe(
      'payments.signature_invalid',
    );
    expect(await send({ 'paypal-transmission-sig': 'bm90aGluZw==' })).toBe('payments.signature_invalid');
    expect(await send({ 'paypal-transmission-sig': 'a'.repeat(2000) })).toBe('payments.signature_invalid');
    for (const name of ['id', 'time', 'sig'])
      expect(await send({ [`paypal-transmission-${name}`]: undefined })).toBe('request.invalid');
    expect(await send({ 'paypal-cert-url': '' })).toBe('request.invalid');
    expect(await send({ 'paypal-auth-algo': undefined })).toBe('payments.signature_invalid');
  });

  test('is refused when it was sent more than five minutes ago, or ahead of our clock', async () => {
    const { codeOf, fake } = keepCertificate();
    expect(await codeOf({ time: '2026-03-01T11:54:59Z' })).toBe('payments.delivery_too_old');
    expect(await codeOf({ time: '2026-03-01T12:05:01Z' })).toBe('payments.delivery_too_old');
    expect(await codeOf({ time: 'yesterday' })).toBe('payments.delivery_too_old');
    // Not even the certificate was asked for.
    expect(fake.asked).toHaveLength(0);
    expect(await codeOf({ time: '2026-03-01T11:55:00Z' })).toBe('taken');
    expect(await codeOf({ time: '2026-03-01T12:05:00Z' })).toBe('taken');
    const patient = keepCertificate({ paypalWebhookToleranceSeconds: 259_200 });
    expect(await patient.codeOf({ time: '2026-02-27T12:00:00Z' })).toBe('taken');
  });

  test('that PayPal has signed but that cannot be understood is refused', async () => {
    const { provider, clock } = keepCertificate();
    const send = (body: string) =>
      provider
        .readDelivery(Buffer.from(body), signDelivery(body, clock, { key: paypal.key }))
        .catch((error: { code?: string }) => error.code);
    for (const body of ['', 'not JSON', '[]', 'null', '{}', JSON.stringify(eventOf('', {}))])
      expect(await send(body)).toBe('request.invalid');
    expect(await send(JSON.stringify({ ...eventOf('A.B', {}), id: 7 }))).toBe('request.invalid');
    expect(await send(JSON.stringify({ ...eventOf('A.B', {}), create_time: 'soon' }))).toBe(
      'request.invalid',
    );
    expect(await send(JSON.stringify(eventOf('PAYMENT.CAPTURE.COMPLETED', {})))).toBe('request.invalid');
  });
});

describe('the address of a certificate', () => {
  const refused = [
    'https://paypal.com.evil.example/v1/notifications/certs/CERT-1',
    'https://api.sandbox.paypal.com.evil.example/v1/notifications/certs/CERT-1',
    'https://evilsandbox.paypal.com.example/v1/notifications/certs/CERT-1',
    'https://evilpaypal.com/v1/notifications/certs/CERT-1',
    'https://sandbox.paypal.com@evil.example/v1/notifications/certs/CERT-1',
    'https://api.sandbox.paypal.com:secret@evil.example/v1/notifications/certs/CERT-1',
    'https://user@api.sandbox.paypal.com/v1/notifications/certs/CERT-1',
    'http://api.sandbox.paypal.com/v1/notifications/certs/CERT-1',
    'https://api.sandbox.paypal.com:8443/v1/notifications/certs/CERT-1',
    'https://api.sandbox.paypal.com:443/v1/notifications/certs/CERT-1',
    'https://API.SANDBOX.PAYPAL.COM/v1/notifications/certs/CERT-1',
    'https://api.sandbox.paypal.com\\@evil.example/v1/notifications/certs/CERT-1',
    'https://evil.example/https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1',
    'https://api.sandbox.paypal.com/v1/notifications/certs/../../elsewhere',
    'https://api.sandbox.paypal.com/v1/notifications/certs/%2e%2e/elsewhere',
    'https://api.sandbox.paypal.com/elsewhere/v1/notifications/certs/CERT-1',
    'https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1?to=evil.example',
    'https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1#evil',
    'https://api.sandbox.paypal.com./v1/notifications/certs/CERT-1',
    'https://127.0.0.1/v1/notifications/certs/CERT-1',
    'file:///v1/notifications/certs/CERT-1',
    '//api.sandbox.paypal.com/v1/notifications/certs/CERT-1',
    'CERT-1',
    `https://api.sandbox.paypal.com/v1/notifications/certs/${'1'.repeat(600)}`,
  ];

  test.each(refused)('%s is refused without being asked', async (address) => {
    const { codeOf, fake } = keepCertificate();
    expect(await codeOf({ address })).toBe('payments.signature_invalid');
    expect(fake.asked).toHaveLength(0);
  });

  test('of the other mode is refused as such, both ways', async () => {
    const address = 'https://api.paypal.com/v1/notifications/certs/CERT-1';
    const sandbox = keepCertificate();
    expect(await sandbox.codeOf({ address })).toBe('payments.wrong_mode');
    const live = keepCertificate({ paypalApiBase: 'https://api-m.paypal.com' });
    expect(await live.codeOf()).toBe('payments.wrong_mode');
    expect([...sandbox.fake.asked, ...live.fake.asked]).toHaveLength(0);
    // A live certificate is made out to another name than that of the sandbox.
    live.fake.on('GET', address, () => new Response(pemOf(paypal, intermediate)));
    expect(await live.codeOf({ address })).toBe('payments.signature_invalid');
    const name = 'messageverificationcerts.paypal.com';
    const own = issueCertificate({ name, issuer: intermediate });
    const other = 'https://api-m.paypal.com/v1/notifications/certs/CERT-2';
    live.fake.on('GET', other, () => new Response(pemOf(own, intermediate)));
    expect(await live.deliver({ address: other, key: own.key })).toMatchObject({ isLive: true });
  });

  test('of a stand-in counts where the settings name one, and only there', async () => {
    const origin = 'http://localhost:4010';
    const address = `${origin}/v1/notifications/certs/CERT-standin`;
    const authority = issueCertificate({ name: 'Stand-in', isAuthority: true });
    const own = issueCertificate({ name: 'messageverificationcerts.paypal.com', issuer: authority });
    const settings = {
      paypalApiBase: origin,
      paypalCertificateOrigin: origin,
      paypalCertificateAuthority: authority.pem.replaceAll('\n', '\\n'),
    };
    const standIn = keepCertificate(settings);
    standIn.fake.on('GET', address, () => new Response(own.pem));
    expect(await standIn.codeOf({ address, key: own.key })).toBe('taken');
    expect(await standIn.codeOf()).toBe('payments.signature_invalid');
    const elsewhere = 'http://localhost:4011/v1/notifications/certs/CERT-standin';
    expect(await standIn.codeOf({ address: elsewhere, key: own.key })).toBe('payments.signature_invalid');
    // Public authorities count for nothing there, and it counts for nothing at PayPal.
    standIn.fake.on('GET', `${address}2`, () => new Response(pemOf(paypal, intermediate)));
    expect(await standIn.codeOf({ address: `${address}2` })).toBe('payments.signature_invalid');
    const unset = keepCertificate({ paypalApiBase: origin });
    expect(await unset.codeOf({ address, key: own.key })).toBe('payments.signature_invalid');
    const sandbox = keepCertificate({ ...settings, paypalApiBase: 'https://api-m.sandbox.paypal.com' });
    expect(await sandbox.codeOf({ address, key: own.key })).toBe('payments.signature_invalid');
  });
});
