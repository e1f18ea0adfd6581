import { randomUUID, sign, type KeyObject } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { createPaypalProvider, type PaypalOptions } from '../../src/domains/payments/index.ts';
import type { CheckoutOrder } from '../../src/domains/payments/index.ts';
import { createTestClock, type TestClock } from './index.ts';
import { issueCertificate, type Identity } from './certificates.ts';
import { capturingAll } from './payments.ts';

/** Our account at PayPal. */
export const payee = { email_address: 'shop@example.com', merchant_id: 'OURMERCHANT01' };
const webhookId = '8PT597110X687430LKGECATA';
export const certificateAddress =
  'https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594';
export const certificateName = 'messageverificationcerts.sandbox.paypal.com';

type Asked = { method: string; url: string; headers: Headers; body: any };
/** What is answered: a body, or whatever comes of a function. */
type Reply = object | ((asked: Asked) => Response | Promise<Response>);

/** What stands in for the network: it answers what a test says, and remembers what was asked. */
export type FakePaypal = {
  fetch: typeof fetch;
  asked: Asked[];
  /** Answers a path (or an address) from now on, for a method. */
  on(method: string, path: string, reply: Reply): void;
  /** How often a path (or an address) was asked. */
  count(path: string): number;
};

export function createFakePaypal(): FakePaypal {
  const replies = new Map<string, Reply>();
  const asked: Asked[] = [];
  const fake: FakePaypal = {
    asked,
    on: (method, path, reply) => void replies.set(`${method} ${path}`, reply),
    count: (path) => asked.filter(({ url }) => nameOf(new URL(url)) === path).length,
    async fetch(input, init) {
      const url = new URL(input instanceof Request ? input.url : input);
      const text = typeof init?.body === 'string' ? init.body : '';
      const call = {
        method: init?.method ?? 'GET',
        url: url.href,
        headers: new Headers(init?.headers),
        body: text.startsWith('{') ? JSON.parse(text) : init?.body,
      };
      asked.push(call);
      const reply = replies.get(`${call.method} ${nameOf(url)}`);
      if (reply === undefined) return json(refusalOf('RESOURCE_NOT_FOUND'), 404);
      return typeof reply === 'function' ? reply(call) : json(reply);
    },
  };
  fake.on('POST', '/v1/oauth2/token', {
    access_token: 'A21AA-token',
    token_type: 'Bearer',
    expires_in: 32_400,
  });
  return fake;
}

/** Certificates are known by their whole address, everything else by its path. */
function nameOf(url: URL): string {
  return url.pathname.startsWith('/v1/notifications/certs/') ? url.href : url.pathname;
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });

export const refusalOf = (name: string, ...issues: string[]) => ({
  name,
  details: issues.map((issue) => ({ issue, description: 'see the documentation' })),
});

let authority: Identity | undefined;

/** An authority that stands for the public ones. */
export const testAuthority = (): Identity =>
  (authority ??= issueCertificate({
    name: 'Test Root',
    isAuthority: true,
    validFrom: '2020-01-01',
    validTo: '2040-01-01',
  }));

/** The adapter, in PayPal's sandbox, on a network that a test holds in its hand. */
export function createTestPaypal(
  fake: Pick<FakePaypal, 'fetch'>,
  clock: TestClock,
  { roots = [testAuthority().pem], memory, ...settings }: TestSettings = {},
) {
  const config = {
    paypalClientId: 'client',
    paypalClientSecret: 'a secret of the app',
    paypalWebhookId: webhookId,
    paypalMerchantId: payee.merchant_id,
    paypalApiBase: 'https://api-m.sandbox.paypal.com',
    paypalWebhookToleranceSeconds: 300,
    paypalCertificateOrigin: '',
    paypalCertificateAuthority: '',
    ...settings,
  };
  return capturingAll(
    createPaypalProvider({ config, clock, fetch: fake.fetch, roots, ...(memory ? { memory } : {}) }),
  );
}

export type TestSettings = Partial<PaypalOptions['config']> & Pick<PaypalOptions, 'roots' | 'memory'>;

export type Signing = {
  key: KeyObject;
  address?: string;
  time?: string;
  webhookId?: string;
  transmissionId?: string;
  algorithm?: string;
};

/** The headers of a delivery of these bytes, as PayPal signs them. */
export function signDelivery(
  body: Buffer | string,
  clock: TestClock,
  signing: Signing,
): Record<string, string> {
  const id = signing.transmissionId ?? randomUUID();
  const time = signing.time ?? `${clock.now().toISOString().slice(0, 19)}Z`;
  const signed = `${id}|${time}|${signing.webhookId ?? webhookId}|${crc32(body)}`;
  return {
    'content-type': 'application/json',
    'paypal-transmission-id': id,
    'paypal-transmission-time': time,
    'paypal-transmission-sig': sign('RSA-SHA256', Buffer.from(signed), signing.key).toString('base64'),
    'paypal-cert-url': signing.address ?? certificateAddress,
    'paypal-auth-algo': signing.algorithm ?? 'SHA256withRSA',
  };
}

/** An event of PayPal's. */
export function eventOf(type: string, resource: object, more: object = {}) {
  return {
    id: `WH-${randomUUID()}`,
    event_version: '1.0',
    create_time: '2026-03-01T12:00:00.000Z',
    event_type: type,
    summary: type,
    resource,
    ...more,
  };
}

/** The adapter at noon, on a network that answers nothing yet. */
export const openAdapter = () => {
  const clock = createTestClock();
  const fake = createFakePaypal();
  return { clock, fake, provider: createTestPaypal(fake, clock) };
};

/** A checkout that is wanted for a purchase. */
export const wanted = (more: Partial<CheckoutOrder> = {}): CheckoutOrder => ({
  purchaseId: '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c11',
  userId: '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c44',
  email: 'dana@example.com',
  customerId: null,
  title: '1,000 credits',
  amountCents: 1000,
  currency: 'EUR',
  taxBehavior: 'inclusive',
  savesCard: false,
  successUrl: 'https://obol.example.com/credits?bought=1',
  cancelUrl: 'https://obol.example.com/credits',
  expiresAt: new Date('2026-03-01T12:30:00Z'),
  ...more,
});

export const link = (rel: string) => ({ rel, href: `https://www.sandbox.paypal.com/${rel}`, method: 'GET' });

/** The code of the refusal that something ends in. */
export const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  );
