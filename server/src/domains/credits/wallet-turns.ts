import { AppError } from '../../errors.ts';

export type WalletTurns = {
  /**
   * Does what may wait for the lock of a wallet when its turn has come, a few at a time for each wallet.
   * Throws `server.busy` when too many wait, for this wallet or in all.
   */
  take<T>(walletId: string, work: () => Promise<T>): Promise<T>;
  /** The same with two wallets, taken in the order of their ids so that nobody waits in a circle. */
  takeBoth<T>(walletIds: [string, string], work: () => Promise<T>): Promise<T>;
  /** How many wait for their turn. */
  waiting(): number;
  /** Names what else waits under the same bound. */
  countWith(others: () => number): void;
  /** Resolves once everything submitted so far has been done. */
  drain(): Promise<void>;
};

export type WalletTurnLimits = { atOnceMax: number; waitingPerWalletMax: number; waitingMax: number };

type Turn = { running: number; queue: (() => void)[] };

const defaultLimits: WalletTurnLimits = { atOnceMax: 2, waitingPerWalletMax: 1000, waitingMax: 10_000 };

/**
 * Turns in front of the connections of the database: whoever holds the lock of one wallet, and for how long,
 * those who wait for it have two connections between them. A person's own plain spends have a queue of their
 * own, see spend-queue.ts.
 */
export function createWalletTurns(limits: WalletTurnLimits = defaultLimits): WalletTurns {
  const turns = new Map<string, Turn>();
  const idle = new Set<() => void>();
  let waiting = 0;
  let countOthers: (() => number) | undefined;

  const enter = async (walletId: string): Promise<void> => {
    const turn = turns.get(walletId) ?? { running: 0, queue: [] };
    turns.set(walletId, turn);
    if (turn.running < limits.atOnceMax) {
      turn.running += 1;
      return;
    }
    if (
      turn.queue.length >= limits.waitingPerWalletMax ||
      waiting + (countOthers?.() ?? 0) >= limits.waitingMax
    ) {
      throw new AppError('server.busy', { headers: { 'retry-after': '1' } });
    }
    waiting += 1;
    await new Promise<void>((resolve) => turn.queue.push(resolve));
    waiting -= 1;
  };
  /** Hands the place on to who has waited longest. */
  const leave = (walletId: string): void => {
    const turn = turns.get(walletId);
    if (!turn) throw new Error(`nobody has the turn of ${walletId}`);
    const next = turn.queue.shift();
    if (next) return next();
    turn.running -= 1;
    if (turn.running === 0) turns.delete(walletId);
    if (turns.size === 0) for (const resolve of idle) resolve();
  };
  const take = async <T>(walletId: string, work: () => Promise<T>): Promise<T> => {
    await enter(walletId);
    try {
      return await work();
    } finally {
      leave(walletId);
    }
  };
  return {
    take,
    takeBoth([one, other], work) {
      const [first, second] = one < other ? [one, other] : [other, one];
      return first === second ? take(first, work) : take(first, () => take(second, work));
    },
    waiting: () => waiting,
    countWith(others) {
      countOthers = others;
    },
    async drain() {
      if (turns.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      idle.add(resolve);
      await promise;
      idle.delete(resolve);
    },
  };
}
