import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { createBoundedMap } from '../../lib/bounded-map.ts';
import type { Spender } from './holds/transact-credits.ts';

/** How long who was found in a team, or with a mandate, is not asked about again. */
const knownMs = 60_000;
/** Until when a spender need not be asked about, by spender and wallet. */
const knownUntil = createBoundedMap<number>(10_000);

/**
 * Why a spender has nothing to do with the wallet that they name, before its turn or its lock is taken, so
 * that nobody holds up a stranger's; null for one's own wallet, a team's that one is in, or that of a person
 * who ever gave the app a mandate. Whether they may spend is for the ledger to say, each time; who was found
 * is not asked about for a minute. Throws `auth.session_ended`, `auth.application_invalid`.
 */
export async function judgeStranger(
  ctx: Ctx,
  spender: Spender,
  walletId: string,
): Promise<'request.not_found' | 'mandate.required' | null> {
  const isPerson = 'userId' in spender;
  if (isPerson && walletId === spender.userId) return null;
  const name = `${isPerson ? spender.userId : spender.clientId} ${walletId}`;
  const now = ctx.clock.now().getTime();
  if (now < (knownUntil.get(name) ?? 0)) return null;
  if (isPerson ? await isMember(ctx, spender, walletId) : await hasMandate(ctx, spender, walletId)) {
    knownUntil.set(name, now + knownMs);
    return null;
  }
  return isPerson ? 'request.not_found' : 'mandate.required';
}

async function isMember(ctx: Ctx, caller: Caller, walletId: string): Promise<boolean> {
  const { rows } = await ctx.db.asCaller(caller, (tx) =>
    tx.execute(sql`select from credits.own_teams() t where t = ${walletId}`),
  );
  return rows.length > 0;
}

async function hasMandate(ctx: Ctx, app: Exclude<Spender, Caller>, walletId: string): Promise<boolean> {
  const { rows } = await ctx.db.asServiceForApplication(app, (tx) =>
    tx.execute(sql`
      select from credits.mandates m
       where m.wallet_id = ${walletId} and m.app_id = ${app.clientId} and m.member_id is null limit 1`),
  );
  return rows.length > 0;
}
