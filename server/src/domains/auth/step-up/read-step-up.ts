import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { readFactors } from '../factors/read-factors.ts';
import { askFor, type AskedFactor } from '../sign-in/read-challenge.ts';
import { stepUpMethodsOf, type StepUpMethod } from './step-up-methods.ts';

/** How the caller can show that it is still them, and what a passkey needs for it. */
export async function readStepUp(
  ctx: Ctx,
  caller: Caller,
): Promise<{ methods: StepUpMethod[]; passkeyOptions: AskedFactor['passkeyOptions'] }> {
  const factors = await ctx.db.asServiceFor(caller, (tx) => readFactors(tx, caller.userId));
  const { passkeyOptions } = await askFor(ctx, caller.userId, factors.methods);
  return { methods: stepUpMethodsOf(factors), passkeyOptions };
}
