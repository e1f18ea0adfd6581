import type { Ctx } from '../../ctx.ts';
import { createPaypalProvider } from './paypal/create-paypal-provider.ts';
import type { PaymentProvider } from './payment-provider.ts';
import { createStripeProvider } from './stripe/create-stripe-provider.ts';

/** The payment providers that the settings set up, in the order in which they are offered. */
export function configuredProviders({ config, clock }: Pick<Ctx, 'config' | 'clock'>): PaymentProvider[] {
  const providers: PaymentProvider[] = [];
  if (config.stripeSecretKey !== '') providers.push(createStripeProvider({ config, clock }));
  if (config.paypalClientId !== '') providers.push(createPaypalProvider({ config, clock }));
  return providers;
}
