import type { Ctx } from '../../ctx.ts';
import { paypalModeOf } from '../../paypal-settings.ts';
import { createPaypalProvider } from './paypal/create-paypal-provider.ts';
import { rememberCertificates } from './paypal/remember-certificates.ts';
import type { PaymentProvider } from './payment-provider.ts';
import { createStripeProvider } from './stripe/create-stripe-provider.ts';

/** The payment providers that the settings set up, in the order in which they are offered. */
export function configuredProviders({
  config,
  clock,
  db,
  log,
}: Pick<Ctx, 'config' | 'clock' | 'db' | 'log'>): PaymentProvider[] {
  const providers: PaymentProvider[] = [];
  if (config.stripeSecretKey !== '') providers.push(createStripeProvider({ config, clock }));
  if (config.paypalClientId !== '') {
    const memory = rememberCertificates({ db, clock }, paypalModeOf(config.paypalApiBase));
    providers.push(createPaypalProvider({ config, clock, memory, log }));
  }
  return providers;
}
