import { AppError } from '../../errors.ts';

/**
 * The idempotency key of a request, from the `Idempotency-Key` header or the body, whichever is given; given
 * both, they must be the same text, UTF-8 in the header too. Throws `request.invalid`.
 * @see draft-ietf-httpapi-idempotency-key-header-07 §2
 */
export function resolveIdempotencyKey(
  rawHeader: string | undefined,
  bodyKey: string | undefined,
): { idempotencyKey?: string } {
  const header = rawHeader === undefined ? undefined : readHeader(rawHeader);
  if (header !== undefined && bodyKey !== undefined && header !== bodyKey) {
    throw invalidHeader('must equal idempotencyKey in the body');
  }
  const idempotencyKey = header ?? bodyKey;
  return idempotencyKey === undefined ? {} : { idempotencyKey };
}

/** HTTP hands over bytes as Latin-1. What the body's key may not hold, the header's may not either. */
function readHeader(rawHeader: string): string {
  const text = Buffer.from(rawHeader, 'latin1').toString('utf8');
  if (/[\p{Cc}\uFFFD]/u.test(text)) throw invalidHeader('must be UTF-8 without control characters');
  return text;
}

function invalidHeader(message: string): AppError {
  return new AppError('request.invalid', { errors: [{ path: '/headers/idempotency-key', message }] });
}
