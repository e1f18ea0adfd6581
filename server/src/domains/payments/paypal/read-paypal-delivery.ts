import { AppError } from '../../../errors.ts';
import type { MayCapture, ProviderEvent } from '../payment-provider.ts';
import { JsonError, readObject, readText, readTime } from './json.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { readEventFacts } from './read-event-facts.ts';
import { verifyDelivery, type DeliveryRules } from './verify-delivery.ts';

/**
 * Reads a delivery, once it is known to be PayPal's. Throws what `verifyDelivery` and `readEventFacts`
 * throw, and `request.invalid` when it cannot be understood.
 */
export async function readPaypalDelivery(
  connection: PaypalConnection,
  rules: DeliveryRules,
  delivery: { body: Buffer; headers: Record<string, string | undefined>; mayCapture: MayCapture },
): Promise<ProviderEvent> {
  const { body, headers, mayCapture } = delivery;
  await verifyDelivery(body, headers, rules);
  try {
    const payload = readObject(parse(body), 'the event');
    const type = readText(payload, 'event_type');
    const createdAt = readTime(payload, 'create_time');
    const resource = readObject(payload.resource, 'resource');
    const told = { type, createdAt, resource };
    const { facts, refusal } = await readEventFacts(connection, told, mayCapture);
    return {
      id: readText(payload, 'id'),
      type,
      createdAt,
      isLive: rules.hosts.mode === 'live',
      payload,
      facts,
      refusal,
    };
  } catch (cause) {
    if (cause instanceof JsonError) throw new AppError('request.invalid', { cause });
    throw cause;
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new JsonError('the event is no JSON', { cause });
  }
}
