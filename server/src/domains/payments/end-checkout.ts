import { AppError } from '../../errors.ts';
import type { PaymentProvider } from './payment-provider.ts';

/**
 * Ends a checkout at its provider; whether it did. One that has just been paid cannot be ended, which is no
 * error: what it says then counts. Throws `payments.provider_unavailable`.
 */
export async function endCheckout(provider: PaymentProvider, checkoutId: string): Promise<boolean> {
  try {
    await provider.expireCheckout(checkoutId);
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'payments.provider_refused') throw error;
    return false;
  }
}
