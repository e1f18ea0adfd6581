import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { readFactors } from '../factors/read-factors.ts';
import { stepUpMethodsOf } from './step-up-methods.ts';

/**
 * Requires that the caller has shown within STEP_UP_SECONDS that it is them, before something that whoever
 * finds a signed-in device must not do: changing factors or addresses, making keys. Who has a second factor
 * must have shown that, too. In the transaction of what is done (`tx`, the service's), or in one of its own.
 * Whoever holds the person's lock by then hears of a session that ended while they waited for it. Throws
 * `auth.session_ended`, `auth.impersonation_forbidden`, and `auth.step_up_required` with `methods` and
 * `maxAgeSeconds`; the way on is `POST /api/v1/auth/step-up`. @see RFC 9470 §3
 */
export async function assertRecentSignIn(ctx: Ctx, caller: Caller, tx?: Tx): Promise<void> {
  if (tx) await assertRecent(ctx, caller, tx);
  else await ctx.db.asServiceFor(caller, (own) => assertRecent(ctx, caller, own));
}

type SignInRow = { isRecent: boolean; amr: string[]; isImpersonation: boolean };

async function assertRecent(ctx: Ctx, { userId, sessionId }: Caller, tx: Tx): Promise<void> {
  const maxAgeSeconds = ctx.config.stepUpSeconds;
  const now = ctx.clock.now();
  const since = new Date(now.getTime() - maxAgeSeconds * 1000).toISOString();
  const { rows } = await tx.execute<SignInRow>(sql`
    select coalesce(authenticated_at, created_at) >= ${since} as "isRecent", amr,
           impersonator_id is not null as "isImpersonation"
      from auth.sessions
     where id = ${sessionId} and user_id = ${userId} and revoked_at is null and expires_at > ${now.toISOString()}`);
  const [session] = rows;
  if (!session) throw new AppError('auth.session_ended');
  if (session.isImpersonation) throw new AppError('auth.impersonation_forbidden');
  const factors = await readFactors(tx, userId);
  const isStrong = factors.methods.length === 0 || session.amr.includes('mfa');
  if (session.isRecent && isStrong) return;
  throw new AppError('auth.step_up_required', {
    extensions: { methods: stepUpMethodsOf(factors), maxAgeSeconds },
  });
}
