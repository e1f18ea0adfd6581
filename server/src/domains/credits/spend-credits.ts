import { createHash } from 'node:crypto';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError, isErrorCode } from '../../errors.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { newId } from '../../lib/ids.ts';
import { assertStorableMetadata } from './assert-storable-metadata.ts';
import { listPackages } from './list-packages.ts';
import { resolveWallet } from './resolve-wallet.ts';
import type { SpendAnswer } from './schemas.ts';
import type { SpendOutcome, SpendQueue, SpendRequest } from './spend-queue.ts';
import { toSpendAnswer } from './to-spend-answer.ts';
import { topUpAddress } from './top-up-address.ts';

/** What an app spends of the caller's credits, and for what. */
export type Spend = {
  amount: number;
  appId: string;
  description: string;
  metadata?: Record<string, unknown> | null;
  idempotencyKey?: string;
  /** Whose credits, for applications that ask with their own credentials. */
  onBehalfOf?: string;
  /** The wallet of a team. */
  walletId?: string;
};

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
  return { answer: toSpendAnswer(spend, outcome), isReplay: outcome.is_replay };
}

function toRequest(ctx: Ctx, caller: Caller, spend: Spend): SpendRequest {
  const { amount, appId, description, metadata = null, idempotencyKey = null } = spend;
  assertStorableMetadata(metadata);
  const content = canonicalJson({ amount, appId, description, metadata });
  return {
    walletId: resolveWallet(caller, spend),
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

async function refusal(ctx: Ctx, request: SpendRequest, outcome: SpendOutcome): Promise<AppError> {
  ctx.metrics.spends.inc({ outcome: 'refused' });
  const { code, is_replay: isReplay, free, paid, held } = outcome;
  if (code === null || !isErrorCode(code)) throw new Error(`credits.spend refused with ${code}`);
  const headers = isReplay ? { headers: replayedHeader } : {};
  if (code !== 'credits.insufficient') return new AppError(code, headers);
  const available = free + paid - held;
  const checkoutUrl = topUpAddress(ctx, request.amount - available);
  return new AppError(code, {
    ...headers,
    extensions: {
      required: request.amount,
      available,
      topUp: { packages: await listPackages(ctx), checkoutUrl },
    },
  });
}
