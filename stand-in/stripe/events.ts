import type Stripe from 'stripe';
import { queueDelivery } from '../webhooks/queue.ts';
import type { World } from '../world.ts';
import type { StripeEvent } from './wire.ts';

/** The version of the API that the answers have, which is the one of the SDK. */
export const apiVersion = '2026-10-28.endive' satisfies Stripe.LatestApiVersion;

/** Says what has happened to a thing, as it is now: an event, and its delivery. */
export function emit(
  world: World,
  type: Stripe.Event['type'],
  object: { id: string; object: string },
  previous?: Record<string, unknown>,
): StripeEvent {
  const event: StripeEvent = {
    id: world.newId('evt_'),
    object: 'event',
    api_version: apiVersion,
    created: world.seconds(),
    data: {
      object: structuredClone(object),
      ...(previous === undefined ? {} : { previous_attributes: previous }),
    },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
  };
  world.state.stripe.events[event.id] = event;
  queueDelivery(world, {
    provider: 'stripe',
    eventId: event.id,
    type,
    body: JSON.stringify(event, null, 2),
    renamed: () => renamed(world, event),
  });
  return event;
}

/** The same event once more, under an id of its own. */
function renamed(world: World, event: StripeEvent): { eventId: string; body: string } {
  const twin = { ...event, id: world.newId('evt_') };
  world.state.stripe.events[twin.id] = twin;
  return { eventId: twin.id, body: JSON.stringify(twin, null, 2) };
}
