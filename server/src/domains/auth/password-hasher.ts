import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import type { Config } from '../../config.ts';
import type { Random } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import { hashPassword, verifyPassword } from '../../lib/password-hash.ts';

/**
 * Hashes and verifies passwords off the event loop, a few at a time. Both throw `server.busy` when too many
 * wait.
 */
export type PasswordHasher = {
  hash(password: string): Promise<string>;
  /**
   * Without a hash it does the same work and answers false, so that an unknown account costs what a known one
   * does.
   */
  verify(password: string, hash: string | undefined): Promise<boolean>;
  /** How many wait for their turn. */
  waiting(): number;
};

/** One thread of libuv's four stays free, so that signing tokens never waits for passwords. */
const concurrencyDefaultMax = 3;
/** A hash takes some 20 ms, so whoever is let into the queue waits about a second at most. */
const waitingPerSlotMax = 50;
/** The hash of a random password that nobody has. */
const decoyHash =
  '$argon2id$v=19$m=19456,t=2,p=1$N/Nqq6gF7xkTn7/ShAwCtQ$UDFSDrm8VvRihMkrr5fAgegeZzj8jLteQI6yXPTbisc';

/**
 * How many outcomes are handed out together while so many wait: a hash goes through 19 MB, so what follows it
 * finds its code and data out of the caches, once for all of a group. While nobody waits for a hash, nobody
 * waits for company.
 */
function groupOf(waiting: number): number {
  return Math.min(16, Math.max(1, Math.ceil(waiting / 4)));
}

/** The pool of one process: PASSWORD_HASH_CONCURRENCY at once, and fifty waiting for each of them. */
export function createPasswordHasher({ config, random }: { config: Config; random: Random }): PasswordHasher {
  const concurrency =
    config.passwordHashConcurrencyMax || Math.min(availableParallelism(), concurrencyDefaultMax);
  const limit = pLimit(concurrency);
  const held: (() => void)[] = [];
  /** Resolves with those that came before, once they are as many as it takes, see `groupOf`. */
  const inGroup = (): Promise<void> =>
    new Promise((resolve) => {
      held.push(resolve);
      if (held.length < groupOf(limit.pendingCount)) return;
      for (const release of held.splice(0)) release();
    });
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    if (limit.pendingCount >= concurrency * waitingPerSlotMax) {
      throw new AppError('server.busy', { headers: { 'retry-after': '1' } });
    }
    try {
      return await limit(work);
    } finally {
      await inGroup();
    }
  };
  return {
    waiting: () => limit.pendingCount,
    hash: (password) => run(() => hashPassword(password, random)),
    verify: (password, hash) =>
      run(async () => (await verifyPassword(password, hash ?? decoyHash)) && hash !== undefined),
  };
}
