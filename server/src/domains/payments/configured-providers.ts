import type { Ctx } from '../../ctx.ts';
import type { PaymentProvider } from './provider.ts';

/** The payment providers that the settings set up, in the order in which they are offered. */
export function configuredProviders(_parts: Pick<Ctx, 'config' | 'clock' | 'log'>): PaymentProvider[] {
  return [];
}
