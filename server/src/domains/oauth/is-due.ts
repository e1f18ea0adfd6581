import type { Ctx } from '../../ctx.ts';

/** What changes all the time is written down to the minute. */
const precisionMs = 60_000;

/** Whether a time that was noted at `last` is to be noted anew. */
export function isDue({ clock }: Pick<Ctx, 'clock'>, last: Date | undefined): boolean {
  return last === undefined || clock.now().getTime() - last.getTime() >= precisionMs;
}
