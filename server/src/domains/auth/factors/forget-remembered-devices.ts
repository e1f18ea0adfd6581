import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { forgetDevices } from '../sign-in/remembered-devices.ts';

/**
 * Has one of the caller's remembered devices, or all, asked for the second factor again. Returns how many.
 * Throws `request.not_found` for one that is not theirs.
 */
export async function forgetRememberedDevices(
  ctx: Ctx,
  caller: Caller,
  only: string | undefined,
  origin: RequestOrigin,
): Promise<number> {
  const { userId, sessionId } = caller;
  return ctx.db.asServiceFor(caller, async (tx) => {
    const count = await forgetDevices(tx, userId, only);
    if (count === 0 && only !== undefined) throw new AppError('request.not_found');
    const event = { type: 'devices.forgotten', userId, sessionId, details: { count } } as const;
    if (count > 0) await recordSecurityEvent(ctx, tx, event, origin);
    return count;
  });
}
