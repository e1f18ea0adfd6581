import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { assertOwnPassword } from '../auth/index.ts';
import { closeCheckouts, endAllSubscriptions } from '../payments/index.ts';
import { sealAddress } from './erasure-address.ts';
import { findPerson } from './find-person.ts';

type Account = { email: string; hash: string | null; signed_in_at: string };

/** How fresh a sign-in is that stands for a password where there is none. */
const recentMs = 10 * 60_000;

/**
 * Erases the caller for good: ends everything that acts for them, and forgets whatever the books need not
 * keep. Their password is asked for again; who has none must have signed in within the last ten minutes.
 * Checkouts that are open are ended at their providers first; one that cannot be is in the way. The
 * address is told, by a job that alone can read it. Throws `auth.session_ended`, `auth.password_wrong`,
 * `auth.sign_in_again`, `users.erasure_blocked`, `request.rate_limited` and `server.busy`.
 */
export async function erasePerson(
  ctx: Ctx,
  caller: Caller,
  { currentPassword }: { currentPassword?: string | undefined },
  origin: RequestOrigin,
): Promise<void> {
  const account = await readAccount(ctx, caller);
  if (account.hash === null) assertJustSignedIn(ctx, account);
  else if (currentPassword === undefined) throw new AppError('auth.password_wrong');
  else await assertOwnPassword(ctx, caller, { password: currentPassword, hash: account.hash }, origin);
  await closeCheckouts(ctx, caller.userId);
  const leaving = { ...account, userId: caller.userId, byOperator: false };
  await ctx.db.unhurried.asServiceFor(caller, (tx) => erase(ctx, tx, leaving));
}

/**
 * The same with whoever has an address, for the operator whom they asked by other means, and as the audit
 * trail then says. With `endsSubscriptions`, what they are billed for again and again is ended at once, if
 * nothing else is in the way. Returns whom. Throws `users.unknown_email`, `users.erasure_blocked`,
 * `users.last_admin`, and what a provider throws that does not end a subscription: then nobody is erased.
 */
export async function erasePersonForOperator(
  ctx: Ctx,
  { email: address, endsSubscriptions = false }: { email: string; endsSubscriptions?: boolean },
): Promise<{ id: string; email: string }> {
  const { id, email } = await ctx.db.asService((tx) => findPerson(tx, address));
  await closeCheckouts(ctx, id);
  const leaving = { userId: id, email, hash: null, byOperator: true };
  const eraseNow = () => ctx.db.unhurried.asService((tx) => erase(ctx, tx, leaving));
  try {
    await eraseNow();
  } catch (error) {
    if (!endsSubscriptions || !isBlockedBySubscriptions(error)) throw error;
    await endAllSubscriptions(ctx, id);
    await eraseNow();
  }
  return { id, email };
}

/** Whether subscriptions, and nothing else, are in the way of an erasure. */
function isBlockedBySubscriptions(error: unknown): boolean {
  if (!(error instanceof AppError) || error.code !== 'users.erasure_blocked') return false;
  const ties = Object.entries(error.options.extensions ?? {}) as [string, unknown[]][];
  return ties.every(([kind, ones]) => (kind === 'subscriptions') === ones.length > 0);
}

type Leaving = { userId: string; email: string; hash: string | null; byOperator: boolean };

/**
 * `hash` is of the password that was asked for; whoever has another by now, only the operator erases. `tx`
 * is unhurried: somebody who has spent a million times takes longer than other statements may.
 */
async function erase(ctx: Ctx, tx: Tx, { userId, email, hash, byOperator }: Leaving): Promise<void> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const at = ctx.clock.now().toISOString();
  await tx.execute(sql`
    select auth.erase_person(
      ${userId}, ${hash}, ${at}, ${creditsDailyFree}, ${creditsDailyCap}, ${byOperator})`);
  await ctx.jobs.enqueue(tx, 'send-erasure-mail', { sealedEmail: sealAddress(ctx, email), at });
}

async function readAccount(ctx: Ctx, caller: Caller): Promise<Account> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const { rows } = await tx.execute<Account>(sql`
      select u.email, p.hash, coalesce(s.authenticated_at, s.created_at) as signed_in_at
        from auth.users u
        join auth.sessions s on s.user_id = u.id and s.id = ${caller.sessionId}
        left join auth.passwords p on p.user_id = u.id
       where u.id = ${caller.userId}`);
    const [account] = rows;
    // Erased by another request, since the session was looked at.
    if (!account) throw new AppError('auth.session_ended');
    return account;
  });
}

function assertJustSignedIn(ctx: Ctx, { signed_in_at: signedInAt }: Account): void {
  const ageMs = ctx.clock.now().getTime() - new Date(signedInAt).getTime();
  if (ageMs > recentMs) throw new AppError('auth.sign_in_again');
}
