import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import type { TopUpView } from './schemas.ts';

/** How automatic top-ups stand for the caller. Throws `auth.session_ended`. */
export async function readTopUp(ctx: Ctx, { userId, sessionId }: Caller): Promise<TopUpView> {
  const [row] = await ctx.db.call<{ view: TopUpView }>('select payments.read_top_up($1, $2, $3) as view', [
    userId,
    sessionId,
    ctx.clock.now(),
  ]);
  if (!row) throw new Error('payments.read_top_up returned no row');
  return row.view;
}
