import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { passkeys } from '../factor-tables.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { toPasskeyView } from './list-passkeys.ts';
import type { PasskeyView } from './schemas.ts';

/** Gives a passkey of the caller another name. Throws `request.not_found`. */
export async function renamePasskey(
  ctx: Ctx,
  caller: Caller,
  { id, name }: { id: string; name: string },
  origin: RequestOrigin,
): Promise<PasskeyView> {
  const { userId, sessionId } = caller;
  return ctx.db.asServiceFor(caller, async (tx) => {
    const [row] = await tx
      .update(passkeys)
      .set({ name })
      .where(and(eq(passkeys.id, id), eq(passkeys.userId, userId)))
      .returning();
    if (!row) throw new AppError('request.not_found');
    const event = { type: 'passkey.renamed', userId, sessionId, details: { passkeyId: id } } as const;
    await recordSecurityEvent(ctx, tx, event, origin);
    return toPasskeyView(row);
  });
}
