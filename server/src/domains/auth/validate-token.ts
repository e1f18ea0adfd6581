import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import type { Validation } from './schemas.ts';

/**
 * Says whether an access token is good right now: signed by us, not expired, and its session alive and its
 * account active. Never refuses; other failures (no database) do.
 */
export async function validateToken(ctx: Ctx, token: string): Promise<Validation> {
  try {
    const payload = await ctx.keys.verifyAccessToken(token);
    await ctx.db.call('select auth.assert_session($1, $2, $3)', [payload.sub, payload.sid, ctx.clock.now()]);
    return { valid: true, payload };
  } catch (error) {
    if (error instanceof AppError && error.status === 401) return { valid: false, error: error.code };
    throw error;
  }
}
