import { Stripe } from 'stripe';
import { AppError } from '../../../errors.ts';

/**
 * Makes a call of the SDK, and says in our words what came of it: `payments.provider_unavailable` when
 * nobody can say whether it was done (the same call with the same key may be made again),
 * `payments.provider_refused` when it was not. The log gets what Stripe said, without the objects that it
 * sends along, which hold secrets of payments.
 */
export async function askStripe<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof Stripe.errors.StripeError ? toAppError(error) : error;
  }
}

/** As askStripe; null when Stripe knows no such object. */
export async function askStripeFor<T>(call: () => Promise<T>): Promise<T | null> {
  return askStripe(() =>
    call().catch((error: unknown) => {
      if (error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'resource_missing')
        return null;
      throw error;
    }),
  );
}

function toAppError(error: Stripe.errors.StripeError): AppError {
  const { statusCode = 0, type, code, decline_code: declined, requestId, message } = error;
  const facts = [statusCode, type, code, declined, requestId].filter(Boolean).join(' ');
  const cause = new Error(`Stripe: ${facts}: ${message}`);
  // A key that was used with other values says that there was such a call, not what came of it.
  const wasUsed = error instanceof Stripe.errors.StripeIdempotencyError;
  const isUnknown =
    wasUsed || statusCode === 0 || statusCode === 409 || statusCode === 429 || statusCode >= 500;
  return new AppError(isUnknown ? 'payments.provider_unavailable' : 'payments.provider_refused', { cause });
}
