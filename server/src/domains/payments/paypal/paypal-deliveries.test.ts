import { getCACertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { issueCertificate, type Identity } from '../../../../test/harness/certificates.ts';
import { createTestClock } from '../../../../test/harness/index.ts';
import {
  certificateAddress,
  certificateName,
  createFakePaypal,
  createTestPaypal,
  eventOf,
  signDelivery,
  testAuthority,
  type Signing,
  type TestSettings,
} from '../../../../test/harness/paypal.ts';

const root = testAuthority();
const intermediate = issueCertificate({ name: 'Test Intermediate', issuer: root, isAuthority: true });
const paypal = issueCertificate({ name: certificateName, issuer: intermediate });
const stranger = issueCertificate({ name: certificateName });
const pemOf = (...identities: Identity[]) => identities.map(({ pem }) => pem).join('');

/** The adapter on a network where PayPal keeps its certificate, at noon. */
const arrive = (options: TestSettings = {}) => {
  const clock = createTestClock();
  const fake = createFakePaypal();
  fake.on('GET', certificateAddress, () => new Response(pemOf(paypal, intermediate)));
  const provider = createTestPaypal(fake, clock, options);
  const body = JSON.stringify(eventOf('PAYMENT.ORDER.NOTHING', { id: 'nothing' }));
  const deliver = (signing: Partial<Signing> = {}, sent: string | Buffer = body) =>
    provider.readDelivery(Buffer.from(sent), signDelivery(body, clock, { key: paypal.key, ...signing }));
  const codeOf = (...how: Parameters<typeof deliver>) =>
    deliver(...how).then(
      () => 'taken',
      (error: { code?: string }) => error.code,
    );
  return { clock, fake, provider, body, deliver, codeOf };
};

describe('a delivery', () => {
  test('is taken when PayPal has signed its very bytes for our webhook just now', async () => {
    const { deliver, fake } = arrive();
    const event = await deliver();
    expect(event).toMatchObject({ type: 'PAYMENT.ORDER.NOTHING', isLive: false, facts: [] });
    expect(event.createdAt.toISOString()).toBe('2026-03-01T12:00:00.000Z');
    expect(fake.count(certificateAddress)).toBe(1);
    // Nothing else is asked: PayPal is not, either.
    expect(fake.asked).toHaveLength(1);
  });

  test('is refused when the signature is of somebody else, of other bytes, or for another webhook', async () => {
    const { codeOf, body } = arrive();
    expect(await codeOf({ key: stranger.key })).toBe('payments.signature_invalid');
    expect(await codeOf({}, JSON.stringify(JSON.parse(body), null, 2))).toBe('payments.signature_invalid');
    expect(await codeOf({}, `${body} `)).toBe('payments.signature_invalid');
    expect(await codeOf({ webhookId: '1JE4291016473214C' })).toBe('payments.signature_invalid');
    expect(await codeOf({ algorithm: 'SHA1withRSA' })).toBe('payments.signature_invalid');
    expect(await codeOf()).toBe('taken');
  });

  test('is refused when what is signed is changed, or missing', async () => {
    const { provider, clock, body } = arrive();
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
    const { codeOf, fake } = arrive();
    expect(await codeOf({ time: '2026-03-01T11:54:59Z' })).toBe('payments.delivery_too_old');
    expect(await codeOf({ time: '2026-03-01T12:05:01Z' })).toBe('payments.delivery_too_old');
    expect(await codeOf({ time: 'yesterday' })).toBe('payments.delivery_too_old');
    // Not even the certificate was asked for.
    expect(fake.asked).toHaveLength(0);
    expect(await codeOf({ time: '2026-03-01T11:55:00Z' })).toBe('taken');
    expect(await codeOf({ time: '2026-03-01T12:05:00Z' })).toBe('taken');
    const patient = arrive({ paypalWebhookToleranceSeconds: 259_200 });
    expect(await patient.codeOf({ time: '2026-02-27T12:00:00Z' })).toBe('taken');
  });

  test('that PayPal has signed but that cannot be understood is refused', async () => {
    const { provider, clock } = arrive();
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
    const { codeOf, fake } = arrive();
    expect(await codeOf({ address })).toBe('payments.signature_invalid');
    expect(fake.asked).toHaveLength(0);
  });

  test('of the other mode is refused as such, both ways', async () => {
    const address = 'https://api.paypal.com/v1/notifications/certs/CERT-1';
    const sandbox = arrive();
    expect(await sandbox.codeOf({ address })).toBe('payments.wrong_mode');
    const live = arrive({ paypalApiBase: 'https://api-m.paypal.com' });
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
    const standIn = arrive(settings);
    standIn.fake.on('GET', address, () => new Response(own.pem));
    expect(await standIn.codeOf({ address, key: own.key })).toBe('taken');
    expect(await standIn.codeOf()).toBe('payments.signature_invalid');
    const elsewhere = 'http://localhost:4011/v1/notifications/certs/CERT-standin';
    expect(await standIn.codeOf({ address: elsewhere, key: own.key })).toBe('payments.signature_invalid');
    // Public authorities count for nothing there, and it counts for nothing at PayPal.
    standIn.fake.on('GET', `${address}2`, () => new Response(pemOf(paypal, intermediate)));
    expect(await standIn.codeOf({ address: `${address}2` })).toBe('payments.signature_invalid');
    const unset = arrive({ paypalApiBase: origin });
    expect(await unset.codeOf({ address, key: own.key })).toBe('payments.signature_invalid');
    const sandbox = arrive({ ...settings, paypalApiBase: 'https://api-m.sandbox.paypal.com' });
    expect(await sandbox.codeOf({ address, key: own.key })).toBe('payments.signature_invalid');
  });
});

describe('a certificate', () => {
  const weak = issueCertificate({ name: certificateName, issuer: root, keyBits: 1024 });
  const expired = issueCertificate({
    name: certificateName,
    issuer: root,
    validFrom: '2025-01-01',
    validTo: '2026-03-01',
  });
  const early = issueCertificate({ name: certificateName, issuer: root, validFrom: '2026-03-02' });
  const old = issueCertificate({
    name: 'Old',
    issuer: root,
    isAuthority: true,
    validFrom: '2024-01-01',
    validTo: '2025-01-01',
  });
  const underOld = issueCertificate({ name: certificateName, issuer: old });
  const otherName = issueCertificate({ name: 'api.evil.example', issuer: root });
  const almost = issueCertificate({ name: `${certificateName}.evil.example`, issuer: root });
  const underLeaf = issueCertificate({ name: certificateName, issuer: paypal });
  const forged = issueCertificate({ name: certificateName, issuer: { ...stranger, name: root.name } });
  const strange = issueCertificate({ name: 'Strange Root', isAuthority: true });
  const underStrange = issueCertificate({ name: certificateName, issuer: strange });

  test.each([
    ['issued by whom it is made out to', pemOf(stranger), stranger],
    ['issued by an authority that nobody trusts', pemOf(underStrange, strange), underStrange],
    ['that claims the name of an authority', pemOf(forged, root), forged],
    ['whose issuer is left out', pemOf(paypal), paypal],
    ['issued by one that may issue none', pemOf(underLeaf, paypal, intermediate), underLeaf],
    ['that has expired', pemOf(expired), expired],
    ['that is not valid yet', pemOf(early), early],
    ['under one that has expired', pemOf(underOld, old), underOld],
    ['made out to somebody else', pemOf(otherName), otherName],
    ['made out to a name like it', pemOf(almost), almost],
    ['with a weak key', pemOf(weak), weak],
    ['that is an authority', pemOf(root), root],
  ])('%s is refused', async (_what, pem, signer) => {
    const { codeOf, fake } = arrive();
    fake.on('GET', certificateAddress, () => new Response(pem));
    expect(await codeOf({ key: signer.key })).toBe('payments.signature_invalid');
  });

  test.each([
    ['is no certificate', () => new Response('<html></html>')],
    ['is a broken one', () => new Response(paypal.pem.replace(/M/g, 'N'))],
    ['is a list without end', () => new Response(pemOf(...Array.from({ length: 9 }, () => paypal)))],
    ['is larger than 64 KiB', () => new Response(paypal.pem + ' '.repeat(65_536))],
    [
      'leads elsewhere',
      () => new Response('', { status: 302, headers: { location: 'https://evil.example' } }),
    ],
    ['is not there', () => new Response('', { status: 404 })],
  ])('that %s is refused', async (_what, reply) => {
    const { codeOf, fake } = arrive();
    fake.on('GET', certificateAddress, reply);
    expect(await codeOf()).toBe('payments.signature_invalid');
    expect(fake.asked).toHaveLength(1);
  });

  test('that cannot be had now is asked for again with the next delivery', async () => {
    const { codeOf, fake } = arrive();
    fake.on('GET', certificateAddress, () => Promise.reject(new TypeError('fetch failed')));
    expect(await codeOf()).toBe('payments.provider_unavailable');
    fake.on('GET', certificateAddress, () => new Response('', { status: 503 }));
    expect(await codeOf()).toBe('payments.provider_unavailable');
    fake.on('GET', certificateAddress, () => new Response(pemOf(paypal, intermediate)));
    expect(await codeOf()).toBe('taken');
  });

  test('is fetched once for all who wait for it, and kept for a day', async () => {
    const { codeOf, fake, clock } = arrive();
    expect(await Promise.all(Array.from({ length: 20 }, () => codeOf()))).toEqual(Array(20).fill('taken'));
    expect(fake.count(certificateAddress)).toBe(1);
    clock.advance({ hours: 23 });
    expect(await codeOf()).toBe('taken');
    expect(fake.count(certificateAddress)).toBe(1);
    clock.advance({ hours: 2 });
    expect(await codeOf()).toBe('taken');
    expect(fake.count(certificateAddress)).toBe(2);
    // While PayPal cannot be reached, the one that is known goes on, but not beyond its end.
    clock.advance({ days: 2 });
    fake.on('GET', certificateAddress, () => new Response('', { status: 503 }));
    expect(await codeOf()).toBe('taken');
    clock.set('2027-01-01T00:00:00Z');
    expect(await codeOf()).toBe('payments.provider_unavailable');
  });

  test('of PayPal may be another one tomorrow: both count while it changes', async () => {
    const { codeOf, fake } = arrive();
    const next = issueCertificate({ name: certificateName, issuer: intermediate });
    const address = certificateAddress.replace('fca2a594', '0abc1234');
    fake.on('GET', address, () => new Response(pemOf(next, intermediate)));
    expect(await codeOf()).toBe('taken');
    expect(await codeOf({ address, key: next.key })).toBe('taken');
    expect(await codeOf()).toBe('taken');
    // But each only with its own key.
    expect(await codeOf({ address })).toBe('payments.signature_invalid');
    expect(await codeOf({ key: next.key })).toBe('payments.signature_invalid');
  });

  test('is not asked for without end by those who make addresses up', async () => {
    const { codeOf, fake, clock } = arrive();
    const addressOf = (index: number) => certificateAddress.replace('fca2a594', `made-up-${index}`);
    expect(await codeOf()).toBe('taken');
    for (let index = 0; index < 19; index += 1)
      expect(await codeOf({ address: addressOf(index) })).toBe('payments.signature_invalid');
    expect(fake.asked).toHaveLength(20);
    expect(await codeOf({ address: addressOf(0) })).toBe('payments.signature_invalid');
    expect(await codeOf({ address: addressOf(20) })).toBe('payments.provider_unavailable');
    expect(fake.asked).toHaveLength(20);
    // Good ones go on meanwhile, and after a minute others are asked for again.
    expect(await codeOf()).toBe('taken');
    clock.advance({ minutes: 1 });
    expect(await codeOf({ address: addressOf(0) })).toBe('payments.signature_invalid');
    expect(fake.asked).toHaveLength(21);
  });

  test('without its issuer has that asked for at the authority it names', async () => {
    const place = 'http://cacerts.digicert.com/TestIntermediate.crt';
    const own = issueCertificate({ name: certificateName, issuer: intermediate, issuerAddress: place });
    const { codeOf, fake } = arrive();
    fake.on('GET', certificateAddress, () => new Response(own.pem));
    fake.on('GET', '/TestIntermediate.crt', () => new Response(intermediate.pem));
    expect(await codeOf({ key: own.key })).toBe('taken');
    expect(fake.asked.map(({ url }) => url)).toEqual([
      certificateAddress,
      'https://cacerts.digicert.com/TestIntermediate.crt',
    ]);
    const elsewhere = issueCertificate({
      name: certificateName,
      issuer: intermediate,
      issuerAddress: 'http://cacerts.digicert.com.evil.example/TestIntermediate.crt',
    });
    const other = arrive();
    other.fake.on('GET', certificateAddress, () => new Response(elsewhere.pem));
    expect(await other.codeOf({ key: elsewhere.key })).toBe('payments.signature_invalid');
    expect(other.fake.asked).toHaveLength(1);
  });

  test('under an authority that the public ones do not know is refused where those count', async () => {
    const clock = createTestClock();
    const fake = createFakePaypal();
    fake.on('GET', certificateAddress, () => new Response(pemOf(paypal, intermediate, root)));
    const provider = createTestPaypal(fake, clock, { roots: getCACertificates('default') });
    const body = JSON.stringify(eventOf('A.B', {}));
    await expect(
      provider.readDelivery(Buffer.from(body), signDelivery(body, clock, { key: paypal.key })),
    ).rejects.toMatchObject({ code: 'payments.signature_invalid' });
  });
});
