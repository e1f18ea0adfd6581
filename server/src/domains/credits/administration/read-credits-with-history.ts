import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { listTransactions } from '../history/list-transactions.ts';
import { readBalance } from '../read-balance.ts';
import type { CreditsWithHistory } from './schemas.ts';

/**
 * What the caller can spend, and a page of what became of it, newest first. Throws `auth.session_ended`,
 * `request.invalid`.
 */
export async function readCreditsWithHistory(
  ctx: Ctx,
  caller: Caller,
  page: { limit: number; offset: number; cursor?: string },
): Promise<CreditsWithHistory & { total: number; nextCursor: string | undefined }> {
  const { available } = await readBalance(ctx, caller);
  const { items, total, nextCursor } = await listTransactions(ctx, caller, page);
  return { credits: available, history: items, total, nextCursor };
}
