import { createHash } from 'node:crypto';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError, isErrorCode } from '../../errors.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { newId } from '../../lib/ids.ts';
import { listPackages } from './list-packages.ts';
import type { SpendAnswer } from './schemas.ts';
import type { SpendOutcome, SpendQueue, SpendRequest } from './spend-queue.ts';

/** What an app spends of the caller's credits, and for what. */
export type Spend = {
  amount: number;
  appId: string;
  description: string;
  metadata?: Record<string, unknown> | null;
  idempotencyKey?: string;
};

const metadataLengthMax = 8192;
const replayedHeader = { 'idempotency-replayed': 'true' };

/**
 * Spends the caller's credits for an app: free before paid, then by priority, earliest expiry and age, in one
 * SQL call that also checks the session. With an idempotency key (scoped to wallet and app) the first answer
 * is given again, refusals included. Throws `request.invalid`, `auth.session_ended`, `idempotency.mismatch`,
 * `credits.wallet_inactive`, `credits.insufficient`, `server.busy`, in this precedence but for the last.
 */
export async function spendCredits(
  ctx: Ctx,
  queue: SpendQueue,
  caller: Caller,
  spend: Spend,
): Promise<{ answer: SpendAnswer; isReplay: boolean }> {
  const request = toRequest(ctx, caller, spend);
  const outcome = await queue.submit(request);
  if (outcome.code !== null) throw await refusal(ctx, request, outcome);
  ctx.metrics.spends.inc({ outcome: outcome.is_replay ? 'replayed' : 'spent' });
  if (!outcome.is_replay) ctx.metrics.creditsSpent.inc(spend.amount);
  return { answer: toAnswer(request, outcome), isReplay: outcome.is_replay };
}

function toRequest(ctx: Ctx, caller: Caller, spend: Spend): SpendRequest {
  const { amount, appId, description, metadata = null, idempotencyKey = null } = spend;
  assertStorable(metadata);
  const content = canonicalJson({ amount, appId, description, metadata });
  return {
    walletId: caller.userId,
    userId: caller.userId,
    sessionId: caller.sessionId,
    appId,
    amount,
    description,
    metadata,
    idempotencyKey,
    requestHash: createHash('sha256').update(content).digest('hex'),
    transactionId: newId(ctx),
  };
}

function assertStorable(metadata: Record<string, unknown> | null): void {
  if (JSON.stringify(metadata).length <= metadataLengthMax) return;
  const message = `must be at most ${metadataLengthMax} characters of JSON`;
  throw new AppError('request.invalid', { errors: [{ path: '/body/metadata', message }] });
}

/**
 * A replay has the content of the first request, or it were a mismatch; so the request tells what the journal
 * holds.
 */
function toAnswer(request: SpendRequest, outcome: SpendOutcome): SpendAnswer {
  const { amount, appId, description, metadata, idempotencyKey } = request;
  const { free, paid, held } = outcome;
  return {
    success: true,
    transaction: {
      id: outcome.transaction_id,
      type: 'usage',
      status: 'completed',
      amount: -amount,
      balanceBefore: outcome.balance_before,
      balanceAfter: free + paid,
      appId,
      description,
      metadata,
      idempotencyKey,
      createdAt: outcome.created_at.toISOString(),
      sequence: outcome.sequence,
      hash: outcome.hash.toString('hex'),
    },
    newBalance: {
      balance: paid,
      freeCreditsRemaining: free,
      totalSpent: outcome.total_spent,
      available: free + paid - held,
    },
  };
}

async function refusal(ctx: Ctx, request: SpendRequest, outcome: SpendOutcome): Promise<AppError> {
  ctx.metrics.spends.inc({ outcome: 'refused' });
  const { code, is_replay: isReplay, free, paid, held } = outcome;
  if (code === null || !isErrorCode(code)) throw new Error(`credits.spend refused with ${code}`);
  const headers = isReplay ? { headers: replayedHeader } : {};
  if (code !== 'credits.insufficient') return new AppError(code, headers);
  const topUp = { packages: await listPackages(ctx), checkoutUrl: `${ctx.config.appUrl}/credits` };
  return new AppError(code, {
    ...headers,
    extensions: { required: request.amount, available: free + paid - held, topUp },
  });
}
