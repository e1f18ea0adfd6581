import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { createEndpointTurns } from './endpoint-turns.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';
import { sendEndpointNotice } from './send-endpoint-notice.ts';

/** Names who does the jobs of this domain. */
export function handleWebhookJobs(ctx: Ctx, resolve?: Resolve): void {
  const turns = createEndpointTurns(ctx, resolve);
  ctx.jobs.handle('serve-endpoint', ({ endpointId }) => turns.wake(endpointId), turns);
  ctx.jobs.handle('serve-endpoints', async () => {
    for (const endpointId of await findDueEndpoints(ctx)) await turns.wake(endpointId);
  });
  ctx.jobs.handle('send-endpoint-notice', (data) => sendEndpointNotice(ctx, data));
}

/** Endpoints at which something is due, whoever was to look after them: most of them are being served. */
async function findDueEndpoints(ctx: Ctx): Promise<string[]> {
  const at = ctx.clock.now().toISOString();
  const { rows } = await ctx.db.asService((tx) =>
    tx.execute<{ id: string }>(sql`
      select e.id from webhooks.endpoints e
       where exists (select from webhooks.deliveries d
                      where d.endpoint_id = e.id and d.status = 'pending' and d.next_attempt_at <= ${at})`),
  );
  return rows.map(({ id }) => id);
}
