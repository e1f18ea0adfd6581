import { getCACertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { issueCertificate } from '../../../../test/harness/certificates.ts';
import { createTestClock, startTestService } from '../../../../test/harness/index.ts';
import { rememberCertificates } from './remember-certificates.ts';
import {
  certificateAddress,
  certificateName,
  createFakePaypal,
  createTestPaypal,
  eventOf,
  signDelivery,
} from '../../../../test/harness/paypal.ts';
import {
  intermediate,
  keepCertificate,
  paypal,
  pemOf,
  root,
  stranger,
} from '../../../../test/harness/paypal-deliveries.ts';

const addressOf = (index: number) => certificateAddress.replace('fca2a594', `made-up-${index}`);

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
    const { codeOf, fake } = keepCertificate();
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
    const { codeOf, fake } = keepCertificate();
    fake.on('GET', certificateAddress, reply);
    expect(await codeOf()).toBe('payments.signature_invalid');
    expect(fake.asked).toHaveLength(1);
  });

  test('that cannot be had now is asked for again with the next delivery', async () => {
    const { codeOf, fake } = keepCertificate();
    fake.on('GET', certificateAddress, () => Promise.reject(new TypeError('fetch failed')));
    expect(await codeOf()).toBe('payments.provider_unavailable');
    fake.on('GET', certificateAddress, () => new Response('', { status: 503 }));
    expect(await codeOf()).toBe('payments.provider_unavailable');
    fake.on('GET', certificateAddress, () => new Response(pemOf(paypal, intermediate)));
    expect(await codeOf()).toBe('taken');
  });

  test('is fetched once for all who wait for it, and kept for a day', async () => {
    const { codeOf, fake, clock } = keepCertificate();
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
    const { codeOf, fake } = keepCertificate();
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
    const { codeOf, fake, clock } = keepCertificate();
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
    const { codeOf, fake } = keepCertificate();
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
    const other = keepCertificate();
    other.fake.on('GET', certificateAddress, () => new Response(elsewhere.pem));
    expect(await other.codeOf({ key: elsewhere.key })).toBe('payments.signature_invalid');
    expect(other.fake.asked).toHaveLength(1);
  });

  test('that PayPal used last is had after a restart, however many others are named first', async () => {
    const service = await startTestService();
    const memory = rememberCertificates(service.ctx, 'sandbox');
    const before = keepCertificate({}, memory);
    expect(await before.codeOf()).toBe('taken');
    // Another good one, which nothing true was signed with, does not take its place.
    const address = certificateAddress.replace('fca2a594', '0abc1234');
    before.fake.on('GET', address, () => new Response(pemOf(paypal, intermediate)));
    expect(await before.codeOf({ address, key: stranger.key })).toBe('payments.signature_invalid');
    expect(await memory.read()).toBe(certificateAddress);
    const { codeOf, fake } = keepCertificate({}, memory);
    for (let index = 0; index < 20; index += 1) await codeOf({ address: addressOf(index) });
    expect(await codeOf({ address: addressOf(20) })).toBe('payments.provider_unavailable');
    expect(await codeOf()).toBe('taken');
    // While it cannot be had, it is not asked for without end either.
    const away = keepCertificate({}, memory);
    away.fake.on('GET', certificateAddress, () => new Response('', { status: 503 }));
    for (let index = 0; index < 12; index += 1) await away.codeOf();
    expect(away.fake.asked).toHaveLength(10);
    expect(fake.asked).toHaveLength(21);
  });

  test('that PayPal used last is asked for again when it could not be read at first', async () => {
    const failures = [new Error('the database is away')];
    const read = async () => {
      const failure = failures.shift();
      if (failure) throw failure;
      return certificateAddress;
    };
    const { codeOf } = keepCertificate({}, { read, write: async () => {} });
    for (let index = 0; index < 20; index += 1) await codeOf({ address: addressOf(index) });
    expect(await codeOf({ address: addressOf(20) })).toBe('payments.provider_unavailable');
    expect(await codeOf()).toBe('taken');
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
