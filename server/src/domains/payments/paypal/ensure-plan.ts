import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../lib/canonical-json.ts';
import { writeMoney } from './open-order.ts';
import { expectBody, readAnswer } from './paypal-client.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { readText } from './json.ts';

/** PayPal changes a subscription among the plans of one product only, so all of ours are of this one. */
const productId = 'OBOL-PLANS';

type Plan = {
  planId: string;
  version: number;
  name: string;
  priceCents: number;
  currency: string;
  interval: 'month' | 'year';
};

/**
 * Makes sure that PayPal has a billing plan for a version of a plan of ours; its id. PayPal remembers the
 * key for 72 hours: a call whose answer was lost for longer leaves a plan there that nobody subscribes to.
 * Throws `payments.provider_unavailable`, `payments.provider_refused`.
 */
export async function ensurePlan(connection: PaypalConnection, plan: Plan): Promise<string> {
  await ensureProduct(connection);
  const body = writePlan(plan);
  const answer = await connection.client.call('POST', '/v1/billing/plans', {
    requestId: keyOf(plan, body),
    body,
  });
  return readAnswer(() => readText(expectBody(answer), 'id'));
}

function writePlan(plan: Plan) {
  return {
    product_id: productId,
    name: plan.name.slice(0, 127),
    status: 'ACTIVE',
    billing_cycles: [
      {
        frequency: { interval_unit: plan.interval === 'month' ? 'MONTH' : 'YEAR', interval_count: 1 },
        tenure_type: 'REGULAR',
        sequence: 1,
        // Without end.
        total_cycles: 0,
        pricing_scheme: {
          fixed_price: writeMoney({ amountCents: plan.priceCents, currency: plan.currency }),
        },
      },
    ],
    // What was not paid for brought nothing, so it is not billed with the next period.
    payment_preferences: { auto_bill_outstanding: false, payment_failure_threshold: 3 },
  };
}

/** Of all that the plan says, so that two services that share an account never take each other's plan. */
function keyOf({ planId, version }: Plan, body: object): string {
  const digest = createHash('sha256').update(canonicalJson(body)).digest('hex').slice(0, 32);
  return `plan-${planId.slice(0, 50)}-${version}-${digest}`;
}

async function ensureProduct({ client }: PaypalConnection): Promise<void> {
  const found = await client.call('GET', `/v1/catalogs/products/${productId}`);
  if (found.status !== 404) {
    expectBody(found);
    return;
  }
  const answer = await client.call('POST', '/v1/catalogs/products', {
    requestId: productId,
    body: { id: productId, name: 'Credits', type: 'DIGITAL' },
  });
  // Somebody else made it meanwhile.
  if (!answer.issues.includes('DUPLICATE_RESOURCE_IDENTIFIER')) expectBody(answer);
}
