import { AppError } from '../../errors.ts';

/**
 * The idempotency key of a request, from the `Idempotency-Key` header or the body, whichever is given; given
 * both, they must be the same. Throws `request.invalid`.
 * @see draft-ietf-httpapi-idempotency-key-header-07 §2
 */
export function resolveIdempotencyKey(
  header: string | undefined,
  bodyKey: string | undefined,
): { idempotencyKey?: string } {
  if (header !== undefined && bodyKey !== undefined && header !== bodyKey) {
    throw new AppError('request.invalid', {
      errors: [{ path: '/headers/idempotency-key', message: 'must equal idempotencyKey in the body' }],
    });
  }
  const idempotencyKey = header ?? bodyKey;
  return idempotencyKey === undefined ? {} : { idempotencyKey };
}
