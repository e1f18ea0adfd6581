import { queueDelivery } from '../webhooks/queue.ts';
import type { World } from '../world.ts';
import type { PayPalEvent } from './state.ts';

type Telling = { type: string; resourceType: string; summary: string; version?: '2.0' };

/** Says what has happened to a thing, as it is now: an event, and its delivery. */
export function tell(
  world: World,
  { type, resourceType, summary, version }: Telling,
  resource: object,
): PayPalEvent {
  const id = newEventId(world);
  const event: PayPalEvent = {
    id,
    event_version: '1.0',
    create_time: timeOf(world),
    resource_type: resourceType,
    ...(version ? { resource_version: version } : {}),
    event_type: type,
    summary,
    resource: structuredClone(resource),
    links: [
      { href: `${world.url}/v1/notifications/webhooks-events/${id}`, rel: 'self', method: 'GET' },
      { href: `${world.url}/v1/notifications/webhooks-events/${id}/resend`, rel: 'resend', method: 'POST' },
    ],
  };
  world.state.paypal.events[id] = event;
  queueDelivery(world, {
    provider: 'paypal',
    eventId: id,
    type,
    body: JSON.stringify(event),
    renamed: () => renamed(world, event),
  });
  return event;
}

function renamed(world: World, event: PayPalEvent): { eventId: string; body: string } {
  const twin = { ...event, id: newEventId(world) };
  world.state.paypal.events[twin.id] = twin;
  return { eventId: twin.id, body: JSON.stringify(twin) };
}

function newEventId(world: World): string {
  return `WH-${newPayPalId(world)}-${newPayPalId(world)}`;
}

/** The time as PayPal writes it, in whole seconds. */
export function timeOf(world: World): string {
  return isoOf(world.now());
}

export function isoOf(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** An id such as `5O190127TN364715T`. */
export function newPayPalId(world: World, length = 17): string {
  return world.randomText(length, 'ABCDEFGHJKLMNPRSTUVWXY0123456789');
}
