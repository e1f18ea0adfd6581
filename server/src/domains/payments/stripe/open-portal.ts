import type { Stripe } from 'stripe';
import type { PaymentProvider } from '../payment-provider.ts';
import { askStripe } from './ask-stripe.ts';
import { metadataNames } from './metadata.ts';

/** Says that a configuration is ours; another one when what follows changes. */
const version = '1';

/**
 * What customers may do there. Plans change here alone, since a bill for a change that we did not ask for
 * brings nothing; and nothing ends before what has been paid for is over.
 */
const features = {
  customer_update: { enabled: false },
  invoice_history: { enabled: true },
  payment_method_update: { enabled: true },
  subscription_cancel: { enabled: true, mode: 'at_period_end' },
  subscription_update: { enabled: false },
} as const satisfies Stripe.BillingPortal.ConfigurationCreateParams.Features;

/** Opens Stripe's page for cards and bills, with what we allow there, whatever the account's default says. */
export async function openPortal(
  stripe: Stripe,
  { customerId, returnUrl }: Parameters<PaymentProvider['openPortal']>[0],
): Promise<string> {
  const configuration = await ensureConfiguration(stripe);
  const params = { customer: customerId, return_url: returnUrl, configuration };
  const { url } = await askStripe(() => stripe.billingPortal.sessions.create(params));
  return url;
}

/** Our configuration of the page, made if it is not there, put right if somebody has changed it. Its id. */
async function ensureConfiguration(stripe: Stripe): Promise<string> {
  const found = await askStripe(() => stripe.billingPortal.configurations.list({ active: true, limit: 100 }));
  const own = found.data.find(({ metadata }) => metadata?.[metadataNames.portal] === version);
  if (own === undefined) {
    const made = await askStripe(() =>
      stripe.billingPortal.configurations.create(
        { features, metadata: { [metadataNames.portal]: version } },
        { idempotencyKey: `obol:portal:${version}` },
      ),
    );
    return made.id;
  }
  if (!isAsWanted(own.features)) {
    await askStripe(() => stripe.billingPortal.configurations.update(own.id, { features }));
  }
  return own.id;
}

function isAsWanted(now: Stripe.BillingPortal.Configuration.Features): boolean {
  return (
    !now.subscription_update.enabled &&
    !now.customer_update.enabled &&
    now.subscription_cancel.mode === features.subscription_cancel.mode &&
    now.payment_method_update.enabled &&
    now.invoice_history.enabled
  );
}
