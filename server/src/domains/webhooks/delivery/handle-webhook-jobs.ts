import type { Ctx } from '../../../ctx.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';
import { sendEndpointNotice } from './send-endpoint-notice.ts';
import { createWebhookDeliverer } from './webhook-deliverer.ts';

/** Names who does the jobs of this domain. */
export function handleWebhookJobs(ctx: Ctx, resolve?: Resolve): void {
  ctx.jobs.handle('deliver-webhook', createWebhookDeliverer(ctx, resolve));
  ctx.jobs.handle('send-endpoint-notice', (data) => sendEndpointNotice(ctx, data));
}
