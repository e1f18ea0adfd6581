import { AppError } from '../../errors.ts';
import type { PaymentProvider } from './payment-provider.ts';

/**
 * Ends a checkout at its provider. One that has just been paid cannot be ended, which is no error: what it
 * says then counts. Throws `payments.provider_unavailable`.
 */
export async function endCheckout(provider: PaymentProvider, checkoutId: string): Promise<void> {
  try {
    await provider.expireCheckout(checkoutId);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'payments.provider_refused') throw error;
  }
}
