import type { Clock } from '../../ctx.ts';
import { createGatherer, type Caller, type Database } from '../../db/index.ts';
import { AppError } from '../../errors.ts';

/** Asks whether callers may still ask: for what needs nothing else of the database. */
export type LiveCallers = {
  /** Throws `auth.session_ended`, as every statement does that works for a caller, and `server.busy`. */
  assert(caller: Caller): Promise<void>;
  waiting: () => number;
  drain: () => Promise<void>;
};

/** Gathers the callers that are asked about at once into one call of the database. */
export function createLiveCallers({ db, clock }: { db: Database; clock: Clock }): LiveCallers {
  const { ask, waiting, drain } = createGatherer(async (callers: Caller[]) => {
    const [row] = await db.call<{ live: boolean[] }>('select auth.live_callers($1, $2, $3) as live', [
      callers.map(({ userId }) => userId),
      callers.map(({ sessionId }) => sessionId),
      clock.now(),
    ]);
    return row?.live ?? [];
  });
  return {
    waiting,
    drain,
    async assert(caller) {
      if (!(await ask(caller))) throw new AppError('auth.session_ended');
    },
  };
}
