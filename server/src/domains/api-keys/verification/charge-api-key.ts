import type { Ctx } from '../../../ctx.ts';
import { toCharge } from '../../credits/index.ts';
import type { KeyHolder, KeyVerdict } from '../api-key-verifier.ts';
import type { ChargeRequest, Verification } from './schemas.ts';

/** What a key is, and what came of spending with it. */
export type ChargeOutcome = {
  verdict: KeyVerdict;
  charge: Verification['charge'];
  refusal: Verification['refusal'];
};

/** The members of a `credits.transact_outcome` that are answered. */
type Outcome = {
  code: string | null;
  is_replay: boolean;
  transaction_id: string;
  free: number;
  paid: number;
  held: number;
  details: Verification['refusal'];
};

export type KeyCharge = {
  digest: Buffer;
  callerId: string | null;
  charge: ChargeRequest;
  /** How often the key was used in this minute, this time included; null where nobody counts. */
  used: number | null;
  known: KeyHolder | undefined;
};

/**
 * Verifies a key and spends with it in one call of the database, in the turn of its wallet: from its owner's
 * wallet within its budget, or for an application's key from that of the person whom `onBehalfOf` names,
 * under their mandate as well. What is refused is in the verdict, as its `code`. Throws `server.busy`.
 */
export async function chargeApiKey(
  ctx: Ctx,
  { digest, callerId, charge: asked, used, known }: KeyCharge,
): Promise<ChargeOutcome> {
  const { onBehalfOf, ...spend } = asked;
  const charge = { ...toCharge(ctx, spend), on_behalf_of: onBehalfOf?.toLowerCase() ?? null };
  const wallet = known?.userId ?? (known ? charge.on_behalf_of : null) ?? digest.toString('hex');
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const [row] = await ctx.turns.take(wallet, () =>
    ctx.db.call<{ verdict: KeyVerdict; outcome: Outcome | null }>(
      'select * from auth.charge_api_key($1, $2, $3, $4, $5, $6, $7)',
      [digest, callerId, used, JSON.stringify(charge), ctx.clock.now(), creditsDailyFree, creditsDailyCap],
    ),
  );
  if (!row) throw new Error('auth.charge_api_key returned no row');
  const { verdict, outcome } = row;
  if (outcome === null) return { verdict, charge: null, refusal: null };
  if (outcome.code !== null) {
    ctx.metrics.spends.inc({ outcome: 'refused' });
    return { verdict, charge: null, refusal: outcome.details ?? {} };
  }
  ctx.metrics.spends.inc({ outcome: outcome.is_replay ? 'replayed' : 'spent' });
  if (!outcome.is_replay) ctx.metrics.creditsSpent.inc(asked.amount);
  const { transaction_id: transactionId, free, paid, held, is_replay: replayed } = outcome;
  const available = free + paid - held;
  return { verdict, charge: { transactionId, amount: asked.amount, available, replayed }, refusal: null };
}
