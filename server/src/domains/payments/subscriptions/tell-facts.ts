import type { Ctx } from '../../../ctx.ts';
import type { Fact } from '../facts.ts';
import type { PaymentProvider } from '../provider.ts';

/** Applies what a provider has answered, with all that follows from it, in one transaction. */
export async function tellFacts(
  { config, db, clock }: Ctx,
  { name, isLive }: PaymentProvider,
  facts: Fact[],
): Promise<void> {
  await db.call('select outcome from payments.receive_events($1, $2, $3, $4)', [
    JSON.stringify([{ provider: name, isLive, facts }]),
    clock.now(),
    config.creditsDailyFree,
    config.creditsDailyCap,
  ]);
}
