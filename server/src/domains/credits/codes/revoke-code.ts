import { and, eq, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { assertAdministrator } from '../assert-administrator.ts';
import { codes } from '../code-tables.ts';
import type { CodeView } from './schemas.ts';
import { toCodeView } from './to-code-view.ts';

/**
 * Withdraws a code: nobody redeems it from now on; what has been redeemed stays. Again it changes nothing.
 * Throws `auth.session_ended`, `auth.admin_required`, `request.not_found`.
 */
export async function revokeCode(
  ctx: Ctx,
  caller: Caller,
  codeId: string,
  origin: RequestOrigin,
): Promise<CodeView> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    await assertAdministrator(tx, caller);
    const revoked = await tx
      .update(codes)
      .set({ revokedAt: ctx.clock.now() })
      .where(and(eq(codes.id, codeId), isNull(codes.revokedAt)))
      .returning({ id: codes.id });
    const [row] = await tx.select().from(codes).where(eq(codes.id, codeId));
    if (!row) throw new AppError('request.not_found');
    if (revoked.length > 0) {
      const actor = { type: 'user', id: caller.userId } as const;
      const target = { type: 'code', id: codeId };
      await recordAuditEvent(ctx, tx, { action: 'credits.code_revoked', actor, target }, origin);
    }
    return toCodeView(row);
  });
}
