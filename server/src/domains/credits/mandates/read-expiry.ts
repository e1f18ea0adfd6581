import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { readInstant } from '../../../http/read-instant.ts';

/** When a mandate is to end; null for never. Throws `request.invalid` when that is past. */
export function readExpiry(ctx: Ctx, expiresAt: string | null | undefined): string | null {
  if (expiresAt === null || expiresAt === undefined) return null;
  const instant = readInstant(expiresAt, '/body/expiresAt');
  if (Date.parse(instant) > ctx.clock.now().getTime()) return instant;
  throw new AppError('request.invalid', {
    errors: [{ path: '/body/expiresAt', message: 'must lie ahead' }],
  });
}
