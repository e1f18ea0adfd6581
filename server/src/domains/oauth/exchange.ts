import { AsyncLocalStorage } from 'node:async_hooks';
import type { Ctx } from '../../ctx.ts';
import type { Tx, Unit } from '../../db/index.ts';
import type { Page } from '../../../../web/src/page.ts';
import type { RequestOrigin } from '../audit/index.ts';
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

/** One request to the provider: everything it does is one transaction, begun when first needed. */
export type Exchange = {
  endpoint: Endpoint;
  requestId: string;
  origin: RequestOrigin;
  /** Whether what is looked up is locked, because it may be spent or ended. */
  locks: boolean;
  /** Runs statements in the transaction of this request, one after the other. */
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** What has been read so far. */
  known: Known;
  /** Whether that transaction has begun. */
  hasBegun(): boolean;
  /** The `jti` of an access token whose signature has been verified, by which it may be looked up. */
  verifiedJti?: string;
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

/** The request that this code runs for, if it runs for one. */
export function currentExchange(): Exchange | undefined {
  return storage.getStore();
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
    /** What the transaction opens with; it begins at once then. */
    opening?: Opening | undefined;
  };

/**
 * Runs `work` as one request. The transaction is committed when `work` returns true, and rolled back when it
 * returns false or throws; nothing may be answered before.
 */
export async function runExchange(
  ctx: Ctx,
  options: ExchangeOptions,
  work: (exchange: Exchange) => Promise<boolean>,
): Promise<void> {
  const { opening, ...rest } = options;
  const { learn, end, ...statements } = beginLazily(ctx, opening);
  const exchange: Exchange = { ...rest, ...statements, known: {} };
  let shouldCommit = false;
  try {
    await learn(exchange.known);
    shouldCommit = await storage.run(exchange, () => work(exchange));
  } finally {
    await end(shouldCommit);
  }
}

type LazyUnit = Pick<Exchange, 'run' | 'hasBegun'> & {
  /** Begins with the opening, if there is one, and keeps what that has read. */
  learn: (known: Known) => Promise<void>;
  end: (shouldCommit: boolean) => Promise<void>;
};

/** A rollback that is no failure. */
class RolledBack extends Error {}

/** A transaction that begins with the first statement. Statements that come at once wait for each other. */
function beginLazily(ctx: Ctx, opening: Opening | undefined): LazyUnit {
  let opened: Promise<Unit> | undefined;
  let finished: Promise<void> | undefined;
  const ended = Promise.withResolvers<boolean>();
  let queue: Promise<unknown> = Promise.resolve();
  const open = (): Promise<Unit> => {
    const { promise, resolve, reject } = Promise.withResolvers<Unit>();
    finished = ctx.db.asUnit(opening?.statement, async (unit) => {
      resolve(unit);
      if (!(await ended.promise)) throw new RolledBack();
    });
    finished.catch(reject);
    return promise;
  };
  const enqueue = <T>(work: (unit: Unit) => Promise<T>): Promise<T> => {
    const unit = (opened ??= open());
    const next = queue.then(async () => work(await unit));
    queue = next.catch(() => {});
    return next;
  };
  return {
    hasBegun: () => opened !== undefined,
    run: (work) => enqueue(({ tx }) => work(tx)),
    async learn(known) {
      if (opening) await enqueue(async ({ opened: row }) => opening.learn(known, row?.['document']));
    },
    async end(shouldCommit) {
      await queue;
      ended.resolve(shouldCommit);
      await finished?.catch((error: unknown) => {
        if (!(error instanceof RolledBack)) throw error;
      });
    },
  };
}
