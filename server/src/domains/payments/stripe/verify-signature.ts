import { createHmac, timingSafeEqual } from 'node:crypto';
import { AppError } from '../../../errors.ts';
import { epochSeconds, exactInteger } from '../../../lib/exact.ts';

const toleranceSeconds = 300;
const headerLengthMax = 4096;

type Signed = { body: Buffer; header: string | undefined };

/**
 * Checks that a delivery was signed by Stripe over these very bytes, with one of our secrets, within five
 * minutes of now, whichever way the clocks differ. While a secret is rotated there are several on either
 * side. The SDK's own check knows one secret, lets the future pass and takes a text for the bytes. Throws
 * `payments.signature_invalid`, `payments.delivery_too_old`.
 * @see https://docs.stripe.com/webhooks/signature
 */
export function verifySignature({ body, header }: Signed, secrets: readonly string[], now: Date): void {
  const { timestamp, signatures } = readHeader(header);
  const fits = secrets.some((secret) => {
    const expected = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest();
    return signatures.some((signature) => timingSafeEqual(signature, expected));
  });
  if (!fits) throw new AppError('payments.signature_invalid');
  if (Math.abs(epochSeconds(now) - exactInteger(timestamp)) > toleranceSeconds)
    throw new AppError('payments.delivery_too_old');
}

function readHeader(header: string | undefined): { timestamp: string; signatures: Buffer[] } {
  if (header === undefined || header.length > headerLengthMax)
    throw new AppError('payments.signature_invalid');
  const parts = header.split(',').map((part) => part.trim().split('='));
  const timestamps = parts.filter(([name]) => name === 't');
  const timestamp = timestamps[0]?.[1] ?? '';
  if (timestamps.length !== 1 || !/^\d{1,12}$/.test(timestamp))
    throw new AppError('payments.signature_invalid');
  const signatures = parts
    .filter(([name, value]) => name === 'v1' && /^[0-9a-f]{64}$/.test(value ?? ''))
    .map(([, value = '']) => Buffer.from(value, 'hex'));
  return { timestamp, signatures };
}
