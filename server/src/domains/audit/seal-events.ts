import type { Ctx } from '../../ctx.ts';

/** Few enough that a statement takes a moment only. */
const eventsMax = 1000;
const turnsMax = 1000;

/** Continues the chain over the events that wait for it. Returns how many it sealed. */
export async function sealEvents({ db, clock }: Pick<Ctx, 'db' | 'clock'>): Promise<number> {
  let total = 0;
  for (let turn = 0, sealed = eventsMax; sealed === eventsMax && turn < turnsMax; turn++) {
    const [row] = await db.call<{ sealed: number }>('select audit.seal_events($1, $2) as sealed', [
      eventsMax,
      clock.now(),
    ]);
    sealed = row?.sealed ?? 0;
    total += sealed;
  }
  return total;
}
