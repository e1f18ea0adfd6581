import { AppError } from '../../../errors.ts';

/**
 * The wallet that a request names by its own id or its person's, whose wallet has the same. Throws
 * `request.invalid`.
 */
export function walletOf({ userId, walletId }: { userId?: string; walletId?: string }): string {
  const named = walletId ?? userId;
  if (named !== undefined && (userId ?? named) === named) return named;
  const message = named === undefined ? 'is missing, and userId too' : 'must be the wallet of userId';
  throw new AppError('request.invalid', { errors: [{ path: '/body/walletId', message }] });
}
