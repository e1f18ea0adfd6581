import type { Ctx } from '../../ctx.ts';
import { sealEvents } from './seal-events.ts';

/** Names who seals the events of the last minute, every minute. */
export function handleSealJobs(ctx: Ctx): void {
  ctx.jobs.handle('seal-audit-events', async () => {
    await sealEvents(ctx);
  });
}
