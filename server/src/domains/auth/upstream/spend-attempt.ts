import { and, eq, gt, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { hashOpaqueToken } from '../../../lib/secrets.ts';
import { upstreamAttempts } from '../upstream-tables.ts';

type Attempt = typeof upstreamAttempts.$inferSelect;

/**
 * The way that a state stands for, once, for the browser that it was given to. Throws `auth.upstream_state`.
 * @see RFC 6749 §10.12
 */
export async function spendAttempt(
  ctx: Ctx,
  {
    callbackPath,
    answer,
    browser,
  }: { callbackPath: string; answer: URLSearchParams; browser: string | undefined },
): Promise<Attempt> {
  const state = answer.get('state') ?? '';
  const [attempt] = await ctx.db.asService((tx) =>
    tx
      .delete(upstreamAttempts)
      .where(
        and(
          eq(upstreamAttempts.stateHash, hashOpaqueToken(state)),
          eq(upstreamAttempts.browserHash, hashOpaqueToken(browser ?? '')),
          eq(upstreamAttempts.callbackPath, callbackPath),
          gt(upstreamAttempts.expiresAt, ctx.clock.now()),
        ),
      )
      .returning(),
  );
  if (!attempt) throw new AppError('auth.upstream_state');
  return attempt;
}

/**
 * Opens the link that adds an account: a way that waits for its browser. Spends it. Throws
 * `auth.upstream_state`.
 */
export async function spendLinkTicket(ctx: Ctx, ticket: string): Promise<Attempt> {
  const [attempt] = await ctx.db.asService((tx) =>
    tx
      .delete(upstreamAttempts)
      .where(
        and(
          eq(upstreamAttempts.stateHash, hashOpaqueToken(ticket)),
          isNull(upstreamAttempts.browserHash),
          gt(upstreamAttempts.expiresAt, ctx.clock.now()),
        ),
      )
      .returning(),
  );
  if (!attempt) throw new AppError('auth.upstream_state');
  return attempt;
}
