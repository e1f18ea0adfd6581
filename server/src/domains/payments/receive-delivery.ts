import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import { reachFaultPoint } from '../../lib/fault-points.ts';
import { captureRuleOf } from './capture-rule.ts';
import type { ProviderName } from './fact.ts';
import type { KeepRefusedDelivery } from './create-refused-delivery-keeper.ts';

export type ReceivedDelivery = {
  provider: ProviderName;
  body: Buffer;
  headers: Record<string, string | undefined>;
  ipAddress: string;
};

/**
 * Takes a delivery of a provider: checks the signature, then stores the event and applies it, before it is
 * answered. A repeat changes nothing. What is refused is handed on, apart from events, since nobody knows
 * whose it is. Throws `request.not_found` when the provider is not set up, and what `readDelivery` of the
 * provider does.
 */
export async function receiveDelivery(
  ctx: Ctx,
  delivery: ReceivedDelivery,
  keepRefusedDelivery: KeepRefusedDelivery,
): Promise<void> {
  const { providers } = ctx.payments;
  const provider = providers.find(({ name }) => name === delivery.provider);
  if (!provider) throw new AppError('request.not_found');
  let event;
  try {
    event = await provider.readDelivery(delivery.body, delivery.headers, captureRuleOf(ctx, provider));
  } catch (error) {
    if (error instanceof AppError && error.status < 500) {
      await keepRefusedDelivery({ ...delivery, code: error.code });
    }
    throw error;
  }
  await reachFaultPoint('webhook.verified');
  const { outcome, reason } = await ctx.payments.receiveEvent(provider, event);
  await reachFaultPoint('webhook.stored');
  const facts = { provider: provider.name, eventId: event.id, type: event.type, outcome, reason };
  if (outcome === 'refused') ctx.log.warn(facts, 'a payment event does not fit what it is about');
  else ctx.log.debug(facts, 'payment event received');
}
