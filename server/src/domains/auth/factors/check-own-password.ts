import { and, desc, eq, gt, inArray, or, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { guessesMax, guessesOfAnAttack } from '../../../lib/sign-in-guesses.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { recordSuspicion } from '../record-suspicion.ts';
import type { SecurityEventType } from '../security-event-meanings.ts';
import { lockAccount } from '../sign-in/lock-account.ts';
import { securityEvents } from '../tables.ts';
import { readAccount, type Account } from './read-account.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const reason = 'password_wrong';
/** From here on there is another password to guess. */
const replacements: SecurityEventType[] = ['password.reset', 'password.changed'];

/**
 * Checks the caller's current password, at the same cost whether or not they have one. Throws what
 * `assertOwnPassword` does.
 */
export async function checkOwnPassword(
  ctx: Ctx,
  caller: Caller,
  password: string,
  origin: RequestOrigin,
): Promise<Account> {
  const account = await readAccount(ctx, caller);
  await assertOwnPassword(ctx, caller, { password, hash: account.hash }, origin);
  return account;
}

/**
 * The same where the hash is known. Whoever holds somebody's session must not guess their password by it: a
 * wrong one stands in the trail, which is also what counts, in every process; after thirty within an hour, or
 * a hundred within a day, a right one is refused like a wrong one. The owner is told of ten. A reset of the
 * password begins the count anew. Throws `auth.session_ended`, `auth.password_wrong`, `server.busy`,
 * `request.rate_limited`. @see NIST SP 800-63B-4 §3.2.2
 */
export async function assertOwnPassword(
  ctx: Ctx,
  caller: Caller,
  { password, hash }: { password: string; hash: string | null },
  origin: RequestOrigin,
): Promise<void> {
  const matches = await ctx.passwords.verify(password, hash ?? undefined);
  const refusal = await ctx.db.asServiceFor(caller, (tx) => judge(ctx, tx, { caller, matches }, origin));
  if (refusal) throw refusal;
}

/** Guesses that come at once wait for each other, so that each counts before the next is judged. */
async function judge(
  ctx: Ctx,
  tx: Tx,
  { caller: { userId, sessionId }, matches }: { caller: Caller; matches: boolean },
  origin: RequestOrigin,
): Promise<AppError | undefined> {
  const user = await lockAccount(tx, userId);
  if (!user) throw new AppError('auth.session_ended');
  const now = ctx.clock.now().getTime();
  const failures = await readFailures(tx, userId, new Date(now - dayMs));
  const ofHour = failures.filter((at) => at > now - hourMs);
  const endsAt = [(ofHour[guessesMax.hour - 1] ?? 0) + hourMs, (failures[guessesMax.day - 1] ?? 0) + dayMs];
  const waitMs = Math.max(...endsAt) - now;
  if (waitMs > 0) {
    const headers = { 'retry-after': String(Math.ceil(waitMs / 1000)) };
    return new AppError('request.rate_limited', { headers });
  }
  if (matches) return undefined;
  const event = { type: 'login.failed', userId, sessionId, details: { reason } } as const;
  await recordSecurityEvent(ctx, tx, event, origin);
  const suspicion = { userId, email: user.email, sessionId, kind: 'attacked' as const };
  if (ofHour.length + 1 === guessesOfAnAttack) await recordSuspicion(ctx, tx, suspicion, origin);
  return new AppError('auth.password_wrong');
}

/** When wrong ones were sent since then, the latest first, in milliseconds; no more than count. */
async function readFailures(tx: Tx, userId: string, since: Date): Promise<number[]> {
  const isFailure = and(
    eq(securityEvents.type, 'login.failed'),
    sql`${securityEvents.details}->>'reason' = ${reason}`,
  );
  const events = await tx
    .select({ type: securityEvents.type, at: securityEvents.createdAt })
    .from(securityEvents)
    .where(
      and(
        eq(securityEvents.userId, userId),
        gt(securityEvents.createdAt, since),
        or(isFailure, inArray(securityEvents.type, replacements)),
      ),
    )
    .orderBy(desc(securityEvents.createdAt), desc(securityEvents.id))
    .limit(guessesMax.day);
  const end = events.findIndex(({ type }) => type !== 'login.failed');
  return (end === -1 ? events : events.slice(0, end)).map(({ at }) => at.getTime());
}
