import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { closeCheckouts } from '../payments/index.ts';
import { sealAddress } from './erasure-address.ts';

type Account = { email: string; hash: string | null; signed_in_at: string };

/** How fresh a sign-in is that stands for a password where there is none. */
const recentMs = 10 * 60_000;

/**
 * Erases the caller for good: ends everything that acts for them, and forgets whatever the books need not
 * keep. Their password is asked for again; who has none must have signed in within the last ten minutes.
 * Checkouts that are open are ended at their providers first; one that cannot be is in the way. The
 * address is told, by a job that alone can read it. Throws `auth.session_ended`, `auth.password_wrong`,
 * `auth.sign_in_again`, `users.erasure_blocked` and `server.busy`.
 */
export async function erasePerson(
  ctx: Ctx,
  caller: Caller,
  { currentPassword }: { currentPassword?: string | undefined },
): Promise<void> {
  const account = await readAccount(ctx, caller);
  await assertOwner(ctx, account, currentPassword);
  await closeCheckouts(ctx, caller.userId);
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const at = ctx.clock.now().toISOString();
  await ctx.db.asServiceFor(caller, async (tx) => {
    await tx.execute(sql`
      select auth.erase_person(${caller.userId}, ${account.hash}, ${at}, ${creditsDailyFree}, ${creditsDailyCap})`);
    await ctx.jobs.enqueue(tx, 'send-erasure-mail', { sealedEmail: sealAddress(ctx, account.email), at });
  });
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

async function assertOwner(ctx: Ctx, account: Account, currentPassword: string | undefined): Promise<void> {
  if (account.hash === null) {
    const ageMs = ctx.clock.now().getTime() - new Date(account.signed_in_at).getTime();
    if (ageMs > recentMs) throw new AppError('auth.sign_in_again');
    return;
  }
  const matches =
    currentPassword !== undefined && (await ctx.passwords.verify(currentPassword, account.hash));
  if (!matches) throw new AppError('auth.password_wrong');
}
