import type { Ctx } from '../../../ctx.ts';
import { toUnits } from '../../../lib/exact.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';
import { newId } from '../../../lib/ids.ts';
import type { PaymentProvider } from '../payment-provider.ts';
import type { PurchaseRow } from '../open-checkout.ts';
import { chargeTopUp } from './charge-top-up.ts';

/** So many people at a time, and so many times a turn. */
const peopleMax = 20;
const turnsMax = 50;
/** A charge whose answer was lost can be made again under its key for a day. */
const chargeableHours = 23;

/**
 * Buys credits for everybody who agreed to it and has less than they want. Whatever else begins at the same
 * time, a person is charged once, and no more than their cap in a month. One who cannot be charged holds up
 * no other.
 */
export async function topUpWallets(ctx: Ctx): Promise<void> {
  const provider = ctx.payments.providers.find(({ name }) => name === 'stripe');
  if (!provider) return;
  const seen = new Set<string>();
  for (let turn = 0; turn < turnsMax; turn++) {
    const rows = await ctx.db.call<{ user_id: string }>(
      'select user_id from payments.due_top_ups($1, $2) as user_id',
      [peopleMax + seen.size, ctx.clock.now()],
    );
    const due = rows.map(({ user_id: userId }) => userId).filter((userId) => !seen.has(userId));
    if (due.length === 0) return;
    due.forEach((userId) => seen.add(userId));
    await Promise.all(due.map((userId) => topUp(ctx, provider, userId)));
  }
}

async function topUp(ctx: Ctx, provider: PaymentProvider, userId: string): Promise<void> {
  try {
    const purchase = await beginTopUp(ctx, provider, userId);
    if (purchase === null) return;
    await reachFaultPoint('top-up.begun');
    await chargeTopUp(ctx, purchase);
  } catch (error) {
    ctx.log.warn({ err: error, userId }, 'a top-up is not cleared up');
  }
}

async function beginTopUp(
  ctx: Ctx,
  { isLive }: PaymentProvider,
  userId: string,
): Promise<PurchaseRow | null> {
  const { creditsScale, creditsPerEur, creditsDailyFree, creditsDailyCap } = ctx.config;
  const now = ctx.clock.now();
  const asked = {
    id: newId(ctx),
    user_id: userId,
    is_live: isLive,
    units_per_credit: toUnits(1, creditsScale),
    credits_per_eur: creditsPerEur,
    expires_at: new Date(now.getTime() + chargeableHours * 3_600_000),
  };
  const [row] = await ctx.db.call<{ purchase: PurchaseRow | null }>(
    'select payments.begin_top_up($1, $2, $3, $4) as purchase',
    [JSON.stringify(asked), now, creditsDailyFree, creditsDailyCap],
  );
  return row?.purchase ?? null;
}
