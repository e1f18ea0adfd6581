import { count, desc } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { assertAdministrator } from '../assert-administrator.ts';
import { codes } from '../code-tables.ts';
import type { CodeView } from './schemas.ts';
import { toCodeView } from './to-code-view.ts';

/**
 * A page of all codes, newest first, for administrators. Throws `auth.session_ended`,
 * `auth.admin_required`.
 */
export async function listCodes(
  ctx: Ctx,
  caller: Caller,
  { limit, offset }: { limit: number; offset: number },
): Promise<{ items: CodeView[]; total: number; nextOffset: number | undefined }> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    await assertAdministrator(tx, caller);
    const [row] = await tx.select({ total: count() }).from(codes);
    const rows = await tx
      .select()
      .from(codes)
      .orderBy(desc(codes.createdAt), desc(codes.id))
      .limit(limit)
      .offset(offset);
    const total = row?.total ?? 0;
    const end = offset + rows.length;
    return { items: rows.map(toCodeView), total, nextOffset: end < total ? end : undefined };
  });
}
