import { and, desc, eq, gte, lte, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { exactInteger } from '../../../lib/exact.ts';
import { usageStats } from '../sales-tables.ts';
import type { UsageView } from './schemas.ts';

export type UsageQuery = {
  groupBy: 'app' | 'day' | 'model';
  /** First and last day (UTC), inclusive. */
  from?: string;
  to?: string;
  appId?: string;
};

const groupsMax = 1000;
const groupColumns = { app: usageStats.appId, day: usageStats.day, model: usageStats.model };

/**
 * What has been spent from the caller's own wallet, or from one named that they may read, by app, day (UTC)
 * or model: days newest first, otherwise the largest amount first, at most 1000 groups; the totals are of
 * all. Throws `auth.session_ended`.
 */
export async function readUsage(
  ctx: Ctx,
  caller: Caller,
  query: UsageQuery,
  walletId = caller.userId,
): Promise<UsageView> {
  const column = groupColumns[query.groupBy];
  const count = sql<number>`coalesce(sum(${usageStats.count}), 0)::bigint`.mapWith(exactInteger);
  const amount = sql<number>`coalesce(sum(${usageStats.amount}), 0)::bigint`.mapWith(exactInteger);
  const own = and(
    eq(usageStats.walletId, walletId),
    query.from === undefined ? undefined : gte(usageStats.day, query.from),
    query.to === undefined ? undefined : lte(usageStats.day, query.to),
    query.appId === undefined ? undefined : eq(usageStats.appId, query.appId),
  );
  return ctx.db.asCaller(caller, async (tx) => {
    const [totals] = await tx.select({ count, amount }).from(usageStats).where(own);
    const items = await tx
      .select({ key: sql<string>`${column}`, count, amount })
      .from(usageStats)
      .where(own)
      .groupBy(column)
      .orderBy(desc(query.groupBy === 'day' ? column : amount), column)
      .limit(groupsMax);
    return { groupBy: query.groupBy, totals: totals ?? { count: 0, amount: 0 }, items };
  });
}
