import { and, isNotNull, lt, type AnyColumn } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Ctx } from '../../../ctx.ts';
import { removeUnusedClients } from '../../applications/index.ts';
import * as pageTables from '../page-tables.ts';
import * as tables from '../tables.ts';

const daySeconds = 86_400;

/**
 * What dies, and how long it stays after that. Codes and refresh tokens stay while they can still be
 * recognised as used twice: as long as the authorization that would end by it.
 */
const mortal: readonly [PgTable, AnyColumn, number][] = [
  [tables.usedProofs, tables.usedProofs.expiresAt, 60],
  [pageTables.interactions, pageTables.interactions.expiresAt, 60],
  [pageTables.browserStates, pageTables.browserStates.expiresAt, 60],
  [tables.pushedRequests, tables.pushedRequests.expiresAt, 3600],
  [tables.deviceCodes, tables.deviceCodes.expiresAt, daySeconds],
  [tables.accessTokens, tables.accessTokens.expiresAt, daySeconds],
  [tables.authorizationCodes, tables.authorizationCodes.expiresAt, 30 * daySeconds],
  [tables.authorizations, tables.authorizations.expiresAt, 7 * daySeconds],
  [pageTables.logoutNotices, pageTables.logoutNotices.createdAt, 30 * daySeconds],
];

/** Removes what has died, and forgets the answers to refreshes whose time is over. Bears being run twice. */
export async function cleanUp(ctx: Ctx): Promise<void> {
  const ago = (seconds: number) => new Date(ctx.clock.now().getTime() - seconds * 1000);
  for (const [table, column, keptSeconds] of mortal) {
    await ctx.db.asService((tx) => tx.delete(table).where(lt(column, ago(keptSeconds))));
  }
  const { sealedAnswer, consumedAt } = tables.refreshTokens;
  const isOver = lt(consumedAt, ago(ctx.config.refreshReuseWindowSeconds));
  await ctx.db.asService((tx) =>
    tx
      .update(tables.refreshTokens)
      .set({ sealedAnswer: null })
      .where(and(isNotNull(sealedAnswer), isOver)),
  );
  await removeUnusedClients(ctx);
}
