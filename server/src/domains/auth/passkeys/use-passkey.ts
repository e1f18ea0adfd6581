import { and, eq, lt, or, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { passkeys } from '../factor-tables.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import type { AuthenticationMethod } from '../sign-in/acr-of.ts';
import { spendChallenge } from './challenge.ts';
import type { VerifiedAssertion } from './verify-assertion.ts';

/**
 * Uses a verified answer: its challenge counts once, and a counter that has not grown means a copy of the
 * passkey, which is refused and stands in the trail. Returns how the person showed who they are, undefined
 * when it does not count. To be committed either way. @see WebAuthn Level 3 §6.1.1, §7.2 step 22
 */
export async function usePasskey(
  ctx: Ctx,
  tx: Tx,
  assertion: VerifiedAssertion,
  origin: RequestOrigin,
): Promise<AuthenticationMethod[] | undefined> {
  const { passkeyId, userId, signCount, isUserVerified, isBackedUp } = assertion;
  if (!(await spendChallenge(ctx, tx, assertion.challenge))) return undefined;
  const doesNotCount = and(eq(passkeys.signCount, 0), sql`${signCount} = 0`);
  const rows = await tx
    .update(passkeys)
    .set({ signCount, isBackedUp, lastUsedAt: ctx.clock.now() })
    .where(and(eq(passkeys.id, passkeyId), or(lt(passkeys.signCount, signCount), doesNotCount)))
    .returning({ id: passkeys.id });
  if (rows.length > 0) return isUserVerified ? ['hwk', 'user'] : ['hwk'];
  await recordSecurityEvent(
    ctx,
    tx,
    { type: 'passkey.counter_regressed', userId, details: { passkeyId } },
    origin,
  );
  return undefined;
}
