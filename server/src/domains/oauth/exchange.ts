import { AsyncLocalStorage } from 'node:async_hooks';
import type { Ctx } from '../../ctx.ts';
import { routeStatements, type Statements, type Tx, type Unit } from '../../db/index.ts';
import type { Page } from '../../../../web/src/page.ts';
import type { RequestOrigin } from '../audit/index.ts';
import type { IssuedTokenClaims } from '../auth/index.ts';
import { finishCall, finishRequest, hasDeeds, hasHappened, newDeeds, type Deeds } from './finish-requests.ts';
import type { Known } from './known.ts';
import type { Opening } from './opening.ts';
import type { EndReason } from './record-end.ts';

/** A page that answers instead of the library, with what it needs besides itself. */
export type PageAnswer = {
  page: Page;
  status: number;
  /** Where the answer to the form of the page may lead, when that is not here. */
  redirectUri?: string;
};

/** A refresh that is under way: what was presented, what it became. */
export type Rotation = {
  tokenHash: Buffer;
  familyId: string;
  isConsumed: boolean;
  /** What the first of several that lost the race got, when this one may have it too. */
  earlierAnswer?: Record<string, unknown>;
};

/** Where a request goes, as far as it matters to what is looked up. */
export type Endpoint =
  | 'authorize'
  | 'resume'
  | 'token'
  | 'introspect'
  | 'revoke'
  | 'userinfo'
  | 'device'
  | 'interaction'
  | 'json-flow'
  | 'other';

/**
 * One request to the provider. What it asks is asked in one go before it, and what it comes to (`deeds`) is
 * written in one go after it; a transaction begins only when more than that is needed, and then holds both.
 */
export type Exchange = {
  endpoint: Endpoint;
  requestId: string;
  origin: RequestOrigin;
  /** Whether what is looked up is locked, because it may be spent or ended. */
  locks: boolean;
  /** Runs `work`, the statements of which go into the transaction of this request, one after the other. */
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** What has been read so far. */
  known: Known;
  /** What is to be written in the end. */
  deeds: Deeds;
  /** Whether that transaction has begun. */
  hasBegun(): boolean;
  /** An access token whose signature has been verified, which may be looked up by its `jti`. */
  verifiedToken?: IssuedTokenClaims;
  /** The grant under which this request works, once it is found. */
  grantId?: string;
  rotation?: Rotation;
  /** The library has checked everything, and the answer is that of the request that won the race. */
  isAnsweredEarlier?: boolean;
  /** Who acts for the person, in a token that is exchanged for theirs. */
  actor?: Record<string, unknown>;
  /** Why an authorization ends, where the library does not say. */
  endReason?: EndReason;
  answer?: PageAnswer;
  /** What a link to the page for devices had filled in. */
  userCode?: string;
};

const storage = new AsyncLocalStorage<Exchange>();

const transactions = new WeakMap<Exchange, LazyTransaction>();

/** The transaction of whichever request is at hand when a statement is sent. */
const transactionAtHand = routeStatements(() => {
  const transaction = transactions.get(exchangeAtHand());
  if (!transaction) throw new Error('the request has ended');
  return transaction;
});

/** The request that this code runs for, if it runs for one. */
export function currentExchange(): Exchange | undefined {
  return storage.getStore();
}

/** The same of code that runs for nothing else. */
export function exchangeAtHand(): Exchange {
  const exchange = storage.getStore();
  if (!exchange) throw new Error('there is no request to the provider at hand');
  return exchange;
}

/**
 * Runs statements in the transaction of the request at hand, or outside of one in a transaction of their
 * own.
 */
export function inExchange<T>(ctx: Ctx, work: (tx: Tx) => Promise<T>): Promise<T> {
  const exchange = storage.getStore();
  return exchange ? exchange.run(work) : ctx.db.asService(work);
}

export type ExchangeOptions = Pick<Exchange, 'endpoint' | 'requestId' | 'origin' | 'locks'> &
  Partial<Exchange> & {
    /** What the request asks before it begins. */
    opening?: Opening | undefined;
    /** Whether it asks that without locks, and looks in the end whether it still holds. */
    isOptimistic?: boolean;
  };

/**
 * Runs `work` as one request. What it did is committed when `work` returns true, and undone when it returns
 * false or throws; nothing may be answered before. Returns false, with nothing done, when what an optimistic
 * request had read did not hold until its end: it may be run again, with locks.
 */
export async function runExchange(
  ctx: Ctx,
  { opening, isOptimistic = false, ...options }: ExchangeOptions,
  work: (exchange: Exchange) => Promise<boolean>,
): Promise<boolean> {
  const isRead = isOptimistic && opening !== undefined;
  const transaction = new LazyTransaction(ctx, isRead ? undefined : opening);
  const exchange: Exchange = {
    ...options,
    locks: options.locks && !isRead,
    run: (statements) => statements(transactionAtHand),
    hasBegun: () => transaction.hasBegun(),
    known: {},
    deeds: newDeeds(),
  };
  transactions.set(exchange, transaction);
  let shouldCommit = false;
  let hasHeld = true;
  try {
    if (isRead) await opening.open(exchange.known);
    else if (opening) opening.learn(exchange.known, await transaction.begin());
    shouldCommit = await storage.run(exchange, () => work(exchange));
  } finally {
    transactions.delete(exchange);
    hasHeld = await finish(ctx, transaction, shouldCommit ? exchange.deeds : undefined);
  }
  if (!hasHeld && !isRead) throw new Error('what a request had locked did not hold until its end');
  return hasHeld;
}

/** Writes what a request has come to, unless it is undone. Returns whether it could be. */
async function finish(ctx: Ctx, transaction: LazyTransaction, deeds: Deeds | undefined): Promise<boolean> {
  if (!deeds) await transaction.end(false);
  else if (!transaction.isNeeded()) return !hasDeeds(deeds) || finishRequest(ctx, deeds);
  else if (!hasDeeds(deeds)) await transaction.end(true);
  else {
    const { text, values } = finishCall(ctx, [deeds]);
    const { rows } = await transaction.query({ text }, values);
    const [row] = rows as { living: string[] }[];
    const hasHeld = hasHappened(deeds, row?.living);
    await transaction.end(hasHeld);
    return hasHeld;
  }
  return true;
}

/** A rollback that is no failure. */
class RolledBack extends Error {}

/** A transaction that begins with the first statement. Statements that come at once wait for each other. */
class LazyTransaction implements Statements {
  readonly #ctx: Ctx;
  readonly #opening: Opening | undefined;
  readonly #ended = Promise.withResolvers<boolean>();
  readonly #deferred: string[] = [];
  #unit: Promise<Unit> | undefined;
  #finished: Promise<void> | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(ctx: Ctx, opening: Opening | undefined) {
    this.#ctx = ctx;
    this.#opening = opening;
  }

  hasBegun(): boolean {
    return this.#unit !== undefined;
  }

  /** Whether it has begun, or has to. */
  isNeeded(): boolean {
    return this.hasBegun() || this.#deferred.length > 0;
  }

  /** Begins, and returns what the opening has read. */
  async begin(): Promise<unknown> {
    return (await this.#begun()).opened?.['document'];
  }

  query(...[statement, values]: Parameters<Statements['query']>): ReturnType<Statements['query']> {
    const unit = this.#begun();
    const next = this.#queue.then(async () => {
      const { query } = await unit;
      if (this.#deferred.length > 0) await query(this.#deferred.splice(0).join(';\n'));
      return query(statement, values);
    });
    this.#queue = next.catch(() => {});
    return next;
  }

  defer(text: string): void {
    this.#deferred.push(text);
  }

  /** Commits, with what was left for later, or rolls back. */
  async end(shouldCommit: boolean): Promise<void> {
    await this.#queue;
    if (shouldCommit && this.#deferred.length > 0) await this.#begun();
    this.#ended.resolve(shouldCommit);
    await this.#finished?.catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error;
    });
  }

  #begun(): Promise<Unit> {
    if (this.#unit) return this.#unit;
    const { promise, resolve, reject } = Promise.withResolvers<Unit>();
    this.#unit = promise;
    this.#finished = this.#ctx.db.asUnit(this.#opening?.statement, async (unit) => {
      resolve(unit);
      if (!(await this.#ended.promise)) throw new RolledBack();
      return this.#deferred.splice(0);
    });
    this.#finished.catch(reject);
    return promise;
  }
}
