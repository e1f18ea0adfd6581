import type { PaypalOptions } from '../../src/domains/payments/index.ts';
import { issueCertificate, type Identity } from './certificates.ts';
import { createTestClock } from './index.ts';
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
} from './paypal.ts';

export const root = testAuthority();
export const intermediate = issueCertificate({ name: 'Test Intermediate', issuer: root, isAuthority: true });
export const paypal = issueCertificate({ name: certificateName, issuer: intermediate });
export const stranger = issueCertificate({ name: certificateName });
export const pemOf = (...identities: Identity[]) => identities.map(({ pem }) => pem).join('');

/** The adapter on a network where PayPal keeps its certificate, at noon. */
export const keepCertificate = (options: TestSettings = {}, memory?: PaypalOptions['memory']) => {
  const clock = createTestClock();
  const fake = createFakePaypal();
  fake.on('GET', certificateAddress, () => new Response(pemOf(paypal, intermediate)));
  const provider = createTestPaypal(fake, clock, { ...options, ...(memory ? { memory } : {}) });
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
