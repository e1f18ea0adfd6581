import { asc, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { accounts } from '../tables.ts';
import type { AccountView } from './schemas.ts';

/** The accounts at other providers that sign the caller in, the oldest first. */
export async function listAccounts(ctx: Ctx, caller: Caller): Promise<AccountView[]> {
  const rows = await ctx.db.asCaller(caller, (tx) =>
    tx
      .select()
      .from(accounts)
      .where(eq(accounts.userId, caller.userId))
      .orderBy(asc(accounts.createdAt), asc(accounts.id)),
  );
  return rows.map(({ id, provider: issuer, email, createdAt, lastUsedAt }) => ({
    id,
    provider: ctx.upstream.nameOf(issuer),
    issuer,
    email,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt.toISOString(),
  }));
}
