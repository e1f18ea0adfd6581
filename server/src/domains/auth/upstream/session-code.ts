import { createHash } from 'node:crypto';
import { and, eq, gt, inArray, isNull, like, lt, or } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { hashOpaqueToken, newOpaqueToken } from '../../../lib/secrets.ts';
import { sessionCodes } from '../upstream-tables.ts';

const codeTtlSeconds = 60;
const expiredMax = 100;

/** What a code stands for: a session, or somebody identified who has none yet. */
export type CodeFor = { sessionId: string } | { accountId: string };

/**
 * A code that stands for a session or an account, once and within a minute, for whoever redeems it under the
 * same `boundTo`, and with the verifier of `codeChallenge` where there is one.
 */
export async function makeSessionCode(
  ctx: Ctx,
  {
    boundTo,
    codeChallenge = null,
    ...standsFor
  }: CodeFor & { boundTo: string; codeChallenge?: string | null },
): Promise<string> {
  const now = ctx.clock.now();
  const code = newOpaqueToken(ctx.random);
  await ctx.db.asService(async (tx) => {
    const expired = tx
      .select({ codeHash: sessionCodes.codeHash })
      .from(sessionCodes)
      .where(lt(sessionCodes.expiresAt, now))
      .limit(expiredMax)
      .for('update', { skipLocked: true });
    await tx.delete(sessionCodes).where(inArray(sessionCodes.codeHash, expired));
    const expiresAt = new Date(now.getTime() + codeTtlSeconds * 1000);
    await tx.insert(sessionCodes).values({
      codeHash: hashOpaqueToken(code),
      ...standsFor,
      boundTo,
      codeChallenge,
      createdAt: now,
      expiresAt,
    });
  });
  return code;
}

/**
 * Spends a code: one statement, so that one of several wins. Returns what it stands for, undefined
 * when the code is unknown, spent, too old, bound to something else or its proof is wrong, which
 * spends nothing. `boundTo` undefined: a program without an origin, which may redeem what a front end may.
 * `tx` is the service's. @see RFC 7636 §4.6
 */
export async function spendSessionCode(
  ctx: Ctx,
  tx: Tx,
  { code, boundTo, verifier }: { code: string; boundTo: string | undefined; verifier: string | undefined },
): Promise<CodeFor | undefined> {
  const now = ctx.clock.now();
  const challenge =
    verifier === undefined ? undefined : createHash('sha256').update(verifier).digest('base64url');
  const isUnproven = isNull(sessionCodes.codeChallenge);
  const [spent] = await tx
    .update(sessionCodes)
    .set({ consumedAt: now })
    .where(
      and(
        eq(sessionCodes.codeHash, hashOpaqueToken(code)),
        isNull(sessionCodes.consumedAt),
        gt(sessionCodes.expiresAt, now),
        boundTo === undefined ? like(sessionCodes.boundTo, 'http%') : eq(sessionCodes.boundTo, boundTo),
        challenge === undefined ? isUnproven : or(isUnproven, eq(sessionCodes.codeChallenge, challenge)),
      ),
    )
    .returning({ sessionId: sessionCodes.sessionId, accountId: sessionCodes.accountId });
  if (spent?.sessionId) return { sessionId: spent.sessionId };
  return spent?.accountId ? { accountId: spent.accountId } : undefined;
}

/** What a code is bound to that a page of ours goes on with: the page, and the browser that is on the way. */
export function personCodeTarget(path: string, browser: string): string {
  return `${path} ${hashOpaqueToken(browser).toString('base64url')}`;
}
