import { createHash } from 'node:crypto';
import type { Ctx } from '../../../ctx.ts';
import type { ApplicationCaller, Caller } from '../../../db/index.ts';
import { AppError, isErrorCode } from '../../../errors.ts';
import { canonicalJson } from '../../../lib/canonical-json.ts';
import { exactInteger } from '../../../lib/exact.ts';
import { newId } from '../../../lib/ids.ts';
import { assertStorableMetadata } from '../assert-storable-metadata.ts';
import { judgeStranger } from '../judge-stranger.ts';
import { listPackages } from '../list-packages.ts';
import { topUpAddress } from '../top-up-address.ts';
import { rememberHold, walletOfHold } from '../wallet-of-hold.ts';
import type { HoldView } from './schemas.ts';

/**
 * Who spends: a person with a token or key of their own, a person through an app (`clientId`), or an app with
 * its own credentials. Apps spend under a mandate; so do keys with a budget (`isBudgeted`).
 */
export type Spender =
  (Caller & { clientId?: string; isBudgeted?: boolean }) | (ApplicationCaller & { clientId: string });

/** One request as `credits.transact` takes it; what an operation has no use for is absent. */
export type TransactRequest = {
  operation: 'spend' | 'hold' | 'extend' | 'capture' | 'void';
  walletId?: string;
  holdId?: string;
  appId?: string;
  amount?: number;
  description?: string;
  metadata?: Record<string, unknown> | null;
  lastsSeconds?: number;
  isFinal?: boolean;
  overrun?: 'refuse' | 'spill';
  idempotencyKey?: string;
};

/**
 * What a request came to. Balances are those right after the decision, `sequence` and `hash` the head of the
 * chain.
 */
export type TransactOutcome = {
  code: string | null;
  is_replay: boolean;
  transaction_id: string;
  amount: number;
  balance_before: number;
  free: number;
  paid: number;
  held: number;
  total_spent: number;
  created_at: Date;
  sequence: number;
  hash: Buffer;
  details: Record<string, unknown> | null;
  /** Whether the spender is told what the wallet has, where the outcome is about a hold. */
  is_told: boolean;
};

const transactStatement = `
  select t.*, credits.sees_wallet($5, (t.details ->> 'walletId')::uuid, $2) as is_told
    from credits.transact($1, $2, $3, $4) t`;

/**
 * Moves credits by one call of `credits.transact`, which checks who asks, locks the wallet and the mandate,
 * answers a repeated key with the first answer, decides and writes; in the turn of its wallet, which nobody
 * takes who has nothing to do with it. Throws
 * `server.busy`, and what it refuses with, once that has been committed.
 */
export async function transactCredits(
  ctx: Ctx,
  spender: Spender,
  request: TransactRequest,
): Promise<TransactOutcome> {
  assertStorableMetadata(request.metadata);
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const { walletId } = request;
  const refused = walletId === undefined ? null : await judgeStranger(ctx, spender, walletId);
  if (refused !== null) {
    throw await refusal(ctx, spender, request, { code: refused, is_replay: false, details: null });
  }
  const [outcome] = await ctx.turns.take(await walletOf(ctx, request), () =>
    ctx.db.call<TransactOutcome>(transactStatement, [
      JSON.stringify([toRow(ctx, spender, request)]),
      ctx.clock.now(),
      creditsDailyFree,
      creditsDailyCap,
      spender.clientId,
    ]),
  );
  if (!outcome) throw new Error('credits.transact left a request without an outcome');
  if (outcome.code !== null) throw await refusal(ctx, spender, request, outcome);
  if (outcome.details) {
    const { id, walletId: heldIn } = holdOf(outcome);
    rememberHold(id, heldIn);
  }
  return outcome;
}

/** In whose turn a request belongs: a hold's wallet is known, or looked for. */
async function walletOf(ctx: Ctx, { walletId, holdId }: TransactRequest): Promise<string> {
  if (walletId !== undefined) return walletId;
  if (holdId === undefined) throw new Error('a request names neither a wallet nor a hold');
  return walletOfHold(ctx, holdId);
}

/** Who asks, as the functions of the ledger take it. */
export function spenderColumns(spender: Spender): Record<string, string | undefined> {
  return 'userId' in spender
    ? { user_id: spender.userId, session_id: spender.sessionId, client_id: spender.clientId }
    : {
        application_id: spender.applicationId,
        secret_id: spender.secretId,
        client_id: spender.clientId,
      };
}

function toRow(ctx: Ctx, spender: Spender, request: TransactRequest): Record<string, unknown> {
  const { operation, walletId, holdId, appId, amount, description, metadata, idempotencyKey } = request;
  return {
    ...spenderColumns(spender),
    debt_max: ctx.config.creditsDebtMax,
    operation,
    wallet_id: walletId,
    app_id: appId,
    hold_id: operation === 'hold' ? newId(ctx) : holdId,
    amount,
    description,
    metadata,
    idempotency_key: idempotencyKey,
    request_hash: `\\x${hashOf(spender, request)}`,
    transaction_id: newId(ctx),
    lasts: request.lastsSeconds,
    is_final: request.isFinal,
    overrun: request.overrun,
    ...(operation === 'hold' ? { holds_max: ctx.config.creditsHoldsMax } : {}),
  };
}

/**
 * A spend hashes like a person's own, whose keys it shares; any other request names its operation. From a
 * team's wallet the request is also its member's: the same key of another member is another request.
 */
function hashOf(spender: Spender, request: TransactRequest): string {
  const { operation, appId, amount, description, metadata = null } = request;
  const { walletId: _walletId, idempotencyKey: _key, ...content } = request;
  const member = 'userId' in spender && isTeams(spender, request) ? { memberId: spender.userId } : {};
  const hashed = operation === 'spend' ? { amount, appId, description, metadata } : { ...content, metadata };
  return createHash('sha256')
    .update(canonicalJson({ ...hashed, ...member }))
    .digest('hex');
}

/** Whether the wallet of a team is spent from, which nobody buys credits for on a page. */
function isTeams(spender: Spender, { walletId }: TransactRequest): boolean {
  return 'userId' in spender && walletId !== undefined && walletId !== spender.userId;
}

async function refusal(
  ctx: Ctx,
  spender: Spender,
  request: TransactRequest,
  outcome: Pick<TransactOutcome, 'code' | 'is_replay' | 'details'>,
): Promise<AppError> {
  const { code, is_replay: isReplay, details } = outcome;
  if (code === null || !isErrorCode(code)) throw new Error(`credits.transact refused with ${code}`);
  if (request.operation === 'spend') ctx.metrics.spends.inc({ outcome: 'refused' });
  const appUrl = ctx.config.appUrl;
  const extensions = { ...details };
  if (code === 'credits.insufficient') {
    const missing = isTeams(spender, request)
      ? 0
      : exactInteger(details?.required) - exactInteger(details?.available);
    const checkoutUrl = topUpAddress(ctx, missing);
    extensions.topUp = { packages: await listPackages(ctx), checkoutUrl };
  }
  if (code === 'mandate.exceeded' || code === 'mandate.required') {
    const isKeys = 'isBudgeted' in spender && (spender.isBudgeted ?? false);
    extensions.raiseUrl = isKeys
      ? `${appUrl}/api-keys`
      : `${appUrl}/mandates/${mandatePageOf(request, details)}`;
  }
  return new AppError(code, {
    extensions,
    ...(isReplay ? { headers: { 'idempotency-replayed': 'true' } } : {}),
  });
}

/** A mandate that was revoked is over; only a new one takes its place. */
function mandatePageOf({ appId = '' }: TransactRequest, details: TransactOutcome['details']): string {
  const { mandateId, reason } = (details ?? {}) as { mandateId?: unknown; reason?: unknown };
  const isThere = typeof mandateId === 'string' && reason !== 'revoked';
  return isThere ? mandateId : `new?${new URLSearchParams({ appId }).toString()}`;
}

/** The hold that an outcome is about. */
export function holdOf(outcome: TransactOutcome): HoldView {
  return outcome.details as HoldView;
}
