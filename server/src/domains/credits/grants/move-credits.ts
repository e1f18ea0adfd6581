import { createHash } from 'node:crypto';
import type { Ctx } from '../../../ctx.ts';
import type { ApplicationCaller, Caller } from '../../../db/index.ts';
import { AppError, isErrorCode } from '../../../errors.ts';
import { canonicalJson } from '../../../lib/canonical-json.ts';
import { walletOfTransaction } from '../wallet-of-transaction.ts';
import type { TransactionView } from '../schemas.ts';
import type { MovementAnswer } from './schemas.ts';

/** An application with its own credentials; `clientId` is the name that it has its mandates under. */
type AskingApplication = ApplicationCaller & { clientId?: string };

/** Who asks: a person, an application, or the service itself. */
export type Asker = { ipAddress?: string } & (Caller | AskingApplication | { isService: true });

/** The functions that move credits on request; each is one call of the database. */
export type MovementFunction =
  | 'grant_credits'
  | 'take_credits'
  | 'refund_credits'
  | 'claw_back_credits'
  | 'redeem_code'
  | 'transfer_credits';

/** What is moved, as `credits.movement_request` takes it. */
export type Movement = {
  walletId?: string;
  targetId?: string;
  amount?: number;
  kind?: string;
  source?: string;
  priority?: number;
  expiresAt?: string;
  description?: string;
  /** Hexadecimal. */
  codeHash?: string;
  idempotencyKey?: string;
};

type OutcomeRow = {
  code: string | null;
  is_replay: boolean;
  made: TransactionView;
  free: number;
  paid: number;
  held: number;
  total_spent: number;
  details: Record<string, unknown> | null;
  is_told: boolean;
};

/**
 * Moves credits by one call of a function, which checks who asks, locks the wallet, answers a repeated key
 * with the first answer, and decides. Throws what the function refuses with, once that has been committed:
 * a refusal is remembered under its key, too. It takes the turns of the wallets that it locks, or of
 * `wallets`. `isTold` says whether the asker is told what the wallet has.
 */
export async function moveCredits(
  ctx: Ctx,
  by: MovementFunction,
  asker: Asker,
  movement: Movement,
  wallets?: [string, string],
): Promise<{ answer: MovementAnswer; isReplay: boolean; isTold: boolean }> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const locked = wallets ?? (await walletsOf(ctx, asker, movement));
  const [row] = await ctx.turns.takeBoth(locked, () =>
    ctx.db.call<OutcomeRow>(movementStatement(by), [
      JSON.stringify(toRequest(ctx, by, asker, movement)),
      ctx.clock.now(),
      creditsDailyFree,
      creditsDailyCap,
      'applicationId' in asker ? asker.clientId : null,
      locked[0],
    ]),
  );
  if (!row) throw new Error(`credits.${by} returned no row`);
  if (row.code !== null) throw refusal(by, row.code, row);
  return { answer: toAnswer(row), isReplay: row.is_replay, isTold: row.is_told };
}

function movementStatement(by: MovementFunction): string {
  return `select m.*, credits.sees_wallet($5, $6, $2) as is_told
            from credits.${by}($1, $2, $3, $4) m`;
}

/** The wallets that a movement locks: what it names, and for codes and transfers the asker's own. */
async function walletsOf(ctx: Ctx, asker: Asker, movement: Movement): Promise<[string, string]> {
  const { walletId, targetId } = movement;
  if (targetId !== undefined) {
    const found = await walletOfTransaction(ctx, targetId);
    return [found, found];
  }
  const own = 'userId' in asker ? asker.userId : walletId;
  if (own === undefined) throw new Error('a movement names no wallet');
  return [walletId ?? own, own];
}

function toRequest(
  ctx: Ctx,
  by: MovementFunction,
  asker: Asker,
  movement: Movement,
): Record<string, unknown> {
  const {
    walletId,
    targetId,
    amount,
    kind,
    source,
    priority,
    expiresAt,
    description,
    codeHash,
    idempotencyKey,
  } = movement;
  const { idempotencyKey: _, ...content } = movement;
  return {
    ...('userId' in asker ? { user_id: asker.userId, session_id: asker.sessionId } : {}),
    ...('applicationId' in asker ? { application_id: asker.applicationId, secret_id: asker.secretId } : {}),
    ip_address: asker.ipAddress,
    asked_at: ctx.clock.now(),
    moves_bonus: ctx.config.creditsTransferBonus,
    wallet_id: walletId,
    target_id: targetId,
    amount,
    kind,
    source,
    priority,
    expires_at: expiresAt,
    description,
    code_hash: codeHash === undefined ? undefined : `\\x${codeHash}`,
    idempotency_key: idempotencyKey,
    request_hash: `\\x${createHash('sha256')
      .update(canonicalJson({ by, ...content }))
      .digest('hex')}`,
  };
}

function refusal(by: MovementFunction, code: string, row: OutcomeRow): AppError {
  if (!isErrorCode(code)) throw new Error(`credits.${by} refused with ${code}`);
  return new AppError(code, {
    ...(row.is_replay ? { headers: { 'idempotency-replayed': 'true' } } : {}),
    ...(row.details ? { extensions: row.details } : {}),
  });
}

function toAnswer({ made, free, paid, held, total_spent: totalSpent }: OutcomeRow): MovementAnswer {
  const owed = made.entries.filter(({ account }) => account.startsWith('receivable:'));
  return {
    success: true,
    transaction: { ...made, createdAt: new Date(made.createdAt).toISOString() },
    newBalance: {
      balance: paid,
      freeCreditsRemaining: free,
      totalSpent,
      available: free + paid - held,
      debtChange: owed.reduce((sum, { amount }) => sum - amount, 0),
    },
  };
}
