import { and, eq, inArray, isNull, max, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import type { JobData } from '../../../jobs/index.ts';
import { adminRole } from '../resolve-roles.ts';
import { accessRequests, applications } from '../tables.ts';

/** The first request is announced at once, those that follow together: so no crowd floods a mailbox. */
const pauseSeconds = 3600;

/**
 * Has the administrators of an application told of a request that this transaction goes on to make, unless
 * they are about to be told of another one. `tx` is the service's and holds the lock of the application.
 */
export async function announceSoon(ctx: Ctx, tx: Tx, applicationId: string): Promise<void> {
  if ((await tx.$count(accessRequests, isUnannounced(applicationId))) > 0) return;
  await ctx.jobs.enqueue(tx, 'announce-access-requests', { applicationId });
}

/**
 * Job: tells every administrator of an application by mail who asks for access, once per request, and no
 * more than once an hour.
 */
export async function announceRequests(
  ctx: Ctx,
  { applicationId }: JobData['announce-access-requests'],
): Promise<void> {
  const now = ctx.clock.now();
  await ctx.db.asService(async (tx) => {
    // Whoever is asking right now shares this lock until their request is there: it is announced, too.
    const { id } = applications;
    await tx.select({ id }).from(applications).where(eq(id, applicationId)).for('no key update');
    const waiting = await tx
      .select({ id: accessRequests.id })
      .from(accessRequests)
      .where(isUnannounced(applicationId))
      .orderBy(accessRequests.createdAt, accessRequests.id);
    if (waiting.length === 0) return;
    const waitSeconds = await pauseLeft(tx, applicationId, now);
    if (waitSeconds > 0) {
      await ctx.jobs.enqueue(tx, 'announce-access-requests', { applicationId }, { waitSeconds });
      return;
    }
    const requestIds = waiting.map((request) => request.id);
    await tx.update(accessRequests).set({ announcedAt: now }).where(inArray(accessRequests.id, requestIds));
    const { rows } = await tx.execute<{ email: string }>(sql`
      select u.email from apps.memberships m join auth.users u on u.id = m.user_id
       where m.application_id = ${applicationId} and m.role = ${adminRole} and u.is_active order by u.email`);
    for (const { email } of rows) {
      await ctx.jobs.enqueue(tx, 'send-access-requests-mail', { requestIds, email });
    }
  });
}

const isUnannounced = (applicationId: string) =>
  and(
    eq(accessRequests.applicationId, applicationId),
    eq(accessRequests.status, 'pending'),
    isNull(accessRequests.announcedAt),
  );

/** How long the administrators are still to be left alone, in seconds. */
async function pauseLeft(tx: Tx, applicationId: string, now: Date): Promise<number> {
  const [found] = await tx
    .select({ last: max(accessRequests.announcedAt) })
    .from(accessRequests)
    .where(eq(accessRequests.applicationId, applicationId));
  if (!found?.last) return 0;
  return Math.ceil((found.last.getTime() - now.getTime()) / 1000) + pauseSeconds;
}
