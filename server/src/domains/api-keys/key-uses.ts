import type { Ctx } from '../../ctx.ts';

export type KeyUses = {
  /** Notes that a key was used just now. */
  note(keyId: string): void;
  /** Writes down what is noted, and waits for what is being written. */
  close(): Promise<void>;
};

const writeEveryMs = 60_000;

/**
 * Keeps when keys were used last, and writes it down for all of them in one statement: with the first use in
 * a minute, beside the requests. So a use costs no write, and a crash loses a minute of times at most.
 */
export function createKeyUses({ db, clock, log }: Pick<Ctx, 'db' | 'clock' | 'log'>): KeyUses {
  const used = new Map<string, Date>();
  let writtenAt = Number.NEGATIVE_INFINITY;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    const entries = [...used];
    used.clear();
    if (entries.length === 0) return;
    const values = [entries.map(([keyId]) => keyId), entries.map(([, at]) => at)];
    try {
      await db.call('select auth.touch_api_keys($1, $2)', values);
    } catch (error) {
      log.warn({ err: error }, 'When API keys were used last could not be written down');
    }
  };
  return {
    note(keyId) {
      const now = clock.now();
      used.set(keyId, now);
      if (now.getTime() - writtenAt < writeEveryMs) return;
      writtenAt = now.getTime();
      writing = writing.then(write);
    },
    async close() {
      await writing;
      await write();
    },
  };
}
