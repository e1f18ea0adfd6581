import { asc, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { passkeys } from '../factor-tables.ts';
import type { PasskeyView } from './schemas.ts';

/** The caller's passkeys, the oldest first. */
export async function listPasskeys(ctx: Ctx, caller: Caller): Promise<PasskeyView[]> {
  const rows = await ctx.db.asCaller(caller, (tx) =>
    tx
      .select()
      .from(passkeys)
      .where(eq(passkeys.userId, caller.userId))
      .orderBy(asc(passkeys.createdAt), asc(passkeys.id)),
  );
  return rows.map(toPasskeyView);
}

/** A passkey as its owner reads it. */
export function toPasskeyView(row: typeof passkeys.$inferSelect): PasskeyView {
  const { id, name, isBackedUp, createdAt, lastUsedAt } = row;
  return {
    id,
    name,
    isBackedUp,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}
