import type { Ctx } from '../../ctx.ts';
import { wasRolledBack } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { exactInteger } from '../../lib/exact.ts';

/**
 * One spend as the database takes it. `requestHash` is hexadecimal; `transactionId` is used if the spend goes
 * through.
 */
export type SpendRequest = {
  walletId: string;
  userId: string;
  sessionId: string;
  appId: string;
  amount: number;
  description: string;
  metadata: Record<string, unknown> | null;
  idempotencyKey: string | null;
  requestHash: string;
  transactionId: string;
};

/**
 * The database's answer to one spend; `code` is null for a success. Balances are those right after the
 * decision.
 */
export type SpendOutcome = {
  ordinal: number;
  code: string | null;
  is_replay: boolean;
  transaction_id: string;
  balance_before: number;
  free: number;
  paid: number;
  held: number;
  total_spent: number;
  created_at: Date;
  /** Sequence and hash of the transaction: the head of the wallet's chain after it. */
  sequence: number;
  hash: Buffer;
};

export type SpendQueue = {
  /** Resolves with this spend's own outcome, whatever its neighbours come to. Throws `server.busy`. */
  submit(request: SpendRequest): Promise<SpendOutcome>;
  /** How many spends wait for their turn. */
  waiting(): number;
  /** Resolves once every spend submitted so far has been answered. */
  drain(): Promise<void>;
};

export type SpendQueueLimits = { lanes: number; batchMax: number; waitingMax: number };

type Waiting = {
  request: SpendRequest;
  resolve(outcome: SpendOutcome): void;
  reject(error: unknown): void;
};

const defaultLimits: SpendQueueLimits = { lanes: 2, batchMax: 500, waitingMax: 10_000 };

/**
 * Natural group commit: a spend alone goes at once, and whatever arrives while a call is in flight goes into
 * the next one. A wallet always takes the same lane, so that two calls of this process never want the same
 * rows.
 */
export function createSpendQueue(ctx: Ctx, limits: SpendQueueLimits = defaultLimits): SpendQueue {
  const lanes = Array.from({ length: limits.lanes }, () => createLane(ctx, limits.batchMax));
  const waiting = () => lanes.reduce((sum, lane) => sum + lane.waiting(), 0);
  return {
    waiting,
    drain: async () => {
      await Promise.all(lanes.map((lane) => lane.drain()));
    },
    async submit(request) {
      if (waiting() + ctx.turns.waiting() >= limits.waitingMax) {
        throw new AppError('server.busy', { headers: { 'retry-after': '1' } });
      }
      const lane = lanes[Number.parseInt(request.walletId.slice(-6), 16) % lanes.length];
      if (!lane) throw new Error(`${request.walletId} is not the id of a wallet`);
      return lane.submit(request);
    },
  };
}

type Lane = {
  submit(request: SpendRequest): Promise<SpendOutcome>;
  waiting(): number;
  drain(): Promise<void>;
};

function createLane(ctx: Ctx, batchMax: number): Lane {
  const queue: Waiting[] = [];
  let running: Promise<void> | undefined;
  // What waits is sent before the answers of the last call are handed out: the database works meanwhile.
  const run = async (): Promise<void> => {
    let call = spendBatch(ctx, queue.splice(0, batchMax));
    for (let isDone = false; !isDone;) {
      const handOut = await call;
      isDone = queue.length === 0;
      if (!isDone) call = spendBatch(ctx, queue.splice(0, batchMax));
      handOut();
    }
    running = undefined;
  };
  return {
    waiting: () => queue.length,
    drain: async () => running,
    submit: (request) =>
      new Promise((resolve, reject) => {
        queue.push({ request, resolve, reject });
        running ??= run();
      }),
  };
}

/**
 * Has every spend of the batch decided, and resolves with what hands the answers out; never rejects. When
 * the database refuses the whole call, nothing of it was committed and each spend is tried alone, so that
 * one that cannot be done fails alone. A lost connection leaves it open whether the call was committed: that
 * is reported, and a client that sent an idempotency key may repeat.
 */
async function spendBatch(ctx: Ctx, batch: Waiting[]): Promise<() => void> {
  try {
    const outcomes = await callSpend(
      ctx,
      batch.map(({ request }) => request),
    );
    return () => {
      for (const outcome of outcomes) answer(batch[outcome.ordinal - 1], outcome);
    };
  } catch (error) {
    if (batch.length > 1 && wasRolledBack(error)) {
      for (const one of batch) (await spendBatch(ctx, [one]))();
      return () => {};
    }
    return () => {
      for (const one of batch) one.reject(error);
    };
  }
}

/** An outcome that cannot be read, such as one of 2^53, fails its own spend and no other. */
function answer(one: Waiting | undefined, outcome: OutcomeRow): void {
  try {
    one?.resolve(readOutcome(outcome));
  } catch (error) {
    one?.reject(error);
  }
}

/** As the database writes it: with the numbers as text, so that all rows can be received. */
type OutcomeRow = { [K in keyof SpendOutcome]: K extends NumberName ? string | null : SpendOutcome[K] };
type NumberName = (typeof numberNames)[number];
const numberNames = ['balance_before', 'free', 'paid', 'held', 'total_spent', 'sequence'] as const;

function readOutcome(row: OutcomeRow): SpendOutcome {
  const numbers = numberNames.map(
    (name) => [name, row[name] === null ? null : exactInteger(row[name])] as const,
  );
  return { ...row, ...(Object.fromEntries(numbers) as Record<NumberName, number>) };
}

const numberColumns = numberNames.map((name) => `${name}::text`).join(', ');
const outcomeColumns = `ordinal, code, is_replay, transaction_id, created_at, hash, ${numberColumns}`;

async function callSpend(ctx: Ctx, requests: SpendRequest[]): Promise<OutcomeRow[]> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const batch = requests.map((request) => ({
    wallet_id: request.walletId,
    user_id: request.userId,
    session_id: request.sessionId,
    app_id: request.appId,
    amount: request.amount,
    description: request.description,
    metadata: request.metadata,
    idempotency_key: request.idempotencyKey,
    request_hash: `\\x${request.requestHash}`,
    transaction_id: request.transactionId,
  }));
  const outcomes = await ctx.db.call<OutcomeRow>(
    `select ${outcomeColumns} from credits.spend($1, $2, $3, $4)`,
    [JSON.stringify(batch), ctx.clock.now(), creditsDailyFree, creditsDailyCap],
  );
  if (outcomes.length !== requests.length) throw new Error('credits.spend left a spend without an outcome');
  return outcomes;
}
