import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';

/**
 * Ends whatever the caller looks at as an administrator, but for one session. It stands in the trails of
 * those people, without the administrator's address. Returns whose accounts it was.
 */
export async function stopImpersonating(
  ctx: Ctx,
  caller: Caller,
  { except }: { except?: string } = {},
): Promise<string[]> {
  const rows = await ctx.db.call<{ person: string }>(
    'select person from auth.end_impersonations_by($1, $2, $3) as person',
    [caller.userId, except ?? null, ctx.clock.now()],
  );
  return rows.map(({ person }) => person);
}
