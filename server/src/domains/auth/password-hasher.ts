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

/** The pool of one process: PASSWORD_HASH_CONCURRENCY at once, and fifty waiting for each of them. */
export function createPasswordHasher({ config, random }: { config: Config; random: Random }): PasswordHasher {
  const concurrency =
    config.passwordHashConcurrencyMax || Math.min(availableParallelism(), concurrencyDefaultMax);
  const limit = pLimit(concurrency);
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    if (limit.pendingCount >= concurrency * waitingPerSlotMax) {
      throw new AppError('server.busy', { headers: { 'retry-after': '1' } });
    }
    return limit(work);
  };
  return {
    waiting: () => limit.pendingCount,
    hash: (password) => run(() => hashPassword(password, random)),
    verify: (password, hash) =>
      run(async () => (await verifyPassword(password, hash ?? decoyHash)) && hash !== undefined),
  };
}
