import { issueCertificate } from './certificates.ts';
import { createTestClock } from './index.ts';
import {
  certificateAddress,
  certificateName,
  createFakePaypal,
  createTestPaypal,
  eventOf,
  payee,
  signDelivery,
  testAuthority,
} from './paypal.ts';

const signer = issueCertificate({ name: certificateName, issuer: testAuthority() });
export const purchaseId = '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c11';
export const subscriptionId = '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c22';
export const refundRequestId = '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c33';
export const eur = (value: string) => ({ currency_code: 'EUR', value });
const up = (path: string) => ({ rel: 'up', method: 'GET', href: `https://api.sandbox.paypal.com${path}` });

/** A capture of PayPal's, as events show it; so are the others. */
export const capture = (more: object = {}) => ({
  id: '2GG279541U471931P',
  status: 'COMPLETED',
  amount: eur('10.00'),
  payee,
  custom_id: purchaseId,
  invoice_id: purchaseId,
  supplementary_data: { related_ids: { order_id: '5O190127TN364715T' } },
  links: [up('/v2/checkout/orders/5O190127TN364715T')],
  ...more,
});
export const order = (more: object = {}, unit: object = {}) => ({
  id: '5O190127TN364715T',
  intent: 'CAPTURE',
  status: 'APPROVED',
  purchase_units: [{ reference_id: purchaseId, custom_id: purchaseId, payee, amount: eur('10.00'), ...unit }],
  payer: { payer_id: 'QYR5Z8XDVJNXQ', email_address: 'dana@example.com' },
  update_time: '2026-03-01T11:59:58Z',
  ...more,
});
export const subscription = (more: object = {}) => ({
  id: 'I-BW452GLLEP1G',
  plan_id: 'P-5ML4271244454362WXNWU5NQ',
  custom_id: subscriptionId,
  status: 'ACTIVE',
  update_time: '2026-03-01T11:59:00Z',
  subscriber: { payer_id: 'QYR5Z8XDVJNXQ' },
  billing_info: {
    last_payment: { amount: eur('9.00'), time: '2026-02-28T10:00:00Z' },
    next_billing_time: '2026-03-28T10:00:00Z',
    failed_payments_count: 0,
  },
  ...more,
});
export const sale = (more: object = {}) => ({
  id: '44P499886K055384U',
  billing_agreement_id: 'I-BW452GLLEP1G',
  amount: { total: '9.00', currency: 'EUR' },
  state: 'completed',
  create_time: '2026-01-31T10:00:00Z',
  ...more,
});

export const refund = (more: object = {}) => ({
  id: '1JU08902781691411',
  status: 'COMPLETED',
  amount: eur('4.00'),
  custom_id: purchaseId,
  links: [up('/v2/payments/captures/2GG279541U471931P')],
  ...more,
});

/**
 * A network where PayPal keeps a certificate, a plan and a subscription; and what an event says, once it is
 * read.
 */
export const readEvents = () => {
  const clock = createTestClock();
  const fake = createFakePaypal();
  fake.on('GET', certificateAddress, () => new Response(signer.pem));
  fake.on('GET', '/v1/billing/plans/P-5ML4271244454362WXNWU5NQ', {
    id: 'P-5ML4271244454362WXNWU5NQ',
    billing_cycles: [{ tenure_type: 'REGULAR', frequency: { interval_unit: 'MONTH', interval_count: 1 } }],
  });
  fake.on('GET', '/v1/billing/subscriptions/I-BW452GLLEP1G', subscription());
  const provider = createTestPaypal(fake, clock);
  const read = async (type: string, resource: object) => {
    const body = JSON.stringify(eventOf(type, resource));
    return (await provider.readDelivery(Buffer.from(body), signDelivery(body, clock, signer))).facts;
  };
  return { clock, fake, provider, read };
};
