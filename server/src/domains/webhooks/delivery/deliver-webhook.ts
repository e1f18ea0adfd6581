import type { Ctx } from '../../../ctx.ts';
import packageJson from '../../../../package.json' with { type: 'json' };
import { allowsLoopback } from './allows-loopback.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';
import { postWebhook, type PostOutcome, type WebhookRequest } from './post-webhook.ts';
import type { Pending } from './claim-deliveries.ts';
import { recordAttempt } from './record-attempt.ts';
import { signWebhook } from './sign-webhook.ts';

/**
 * Tries once to deliver an event, and writes down what came of it: arrived, to be tried again, or given up.
 * The request is made outside any transaction; a process that dies in between makes it again, with the same
 * `webhook-id`.
 */
export async function deliverWebhook(ctx: Ctx, pending: Pending, resolve?: Resolve): Promise<PostOutcome> {
  const startedAt = ctx.clock.now();
  const outcome = await postWebhook(toRequest(pending, startedAt), {
    timeoutMs: ctx.config.webhookTimeoutSeconds * 1000,
    mayBeLoopback: allowsLoopback(ctx.config),
    ...(resolve ? { resolve } : {}),
  });
  ctx.metrics.webhookAttempts.inc({ outcome: outcome.error === null ? 'arrived' : 'failed' });
  await recordAttempt(ctx, pending, { startedAt, outcome });
  return outcome;
}

/** The request for an event: the same body every time, signed for this attempt. */
function toRequest({ endpoint, event, secrets }: Pending, at: Date): WebhookRequest {
  const body = JSON.stringify({
    type: event.type,
    timestamp: event.happenedAt.toISOString(),
    data: event.data,
  });
  const timestampSeconds = Math.floor(at.getTime() / 1000);
  return {
    url: endpoint.url,
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': `Obol/${packageJson.version} (webhooks)`,
      'webhook-id': event.id,
      'webhook-timestamp': String(timestampSeconds),
      'webhook-signature': signWebhook({ id: event.id, timestampSeconds, body }, secrets),
    },
  };
}
