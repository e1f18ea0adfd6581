import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import { firstPartyClientId } from '../../lib/first-party.ts';
import type { Validation } from './schemas.ts';

/**
 * Says whether an access token is good right now: signed by us, not expired, and its session alive and its
 * account active. The token of an application is not, whatever it may do: who asks here takes a good one
 * for the person themselves, and there is introspection for the others. Never refuses; other failures (no
 * database) do.
 */
export async function validateToken(ctx: Ctx, token: string): Promise<Validation> {
  try {
    const payload = await ctx.keys.verifyAccessToken(token, { impersonation: true });
    const { email } = payload;
    if (payload.client_id !== firstPartyClientId || email === undefined)
      return { valid: false, error: 'auth.token_invalid' };
    await ctx.callers.assert({ userId: payload.sub, sessionId: payload.sid });
    return { valid: true, payload: { ...payload, email } };
  } catch (error) {
    if (error instanceof AppError && error.status === 401) return { valid: false, error: error.code };
    throw error;
  }
}
