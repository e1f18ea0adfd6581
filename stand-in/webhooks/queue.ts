import { randomInt } from 'node:crypto';
import type { World } from '../world.ts';
import type { Delivery, Provider } from './state.ts';

type Event = {
  provider: Provider;
  eventId: string;
  type: string;
  body: string;
  /** Makes the same event under another id. */
  renamed: () => { eventId: string; body: string };
};

/** Puts an event on its way, with what the chaos switch makes of it. */
export function queueDelivery(world: World, event: Event): void {
  const { chaos } = world.state.webhooks;
  push(world, event, happens(chaos.dropPercent) ? 'dropped' : 'waiting');
  if (happens(chaos.duplicatePercent)) push(world, event, 'waiting');
  if (happens(chaos.resendUnderNewIdPercent)) push(world, { ...event, ...event.renamed() }, 'waiting');
}

function push(world: World, event: Event, outcome: Delivery['outcome']): void {
  const { chaos, deliveries } = world.state.webhooks;
  const { provider, eventId, type, body } = event;
  deliveries.push({
    id: world.newId('delivery_'),
    provider,
    eventId,
    type,
    body,
    dueMs: world.sentAt().getTime() + 1000 * randomInt(chaos.delaySecondsMax + 1),
    attempts: 0,
    outcome,
    lastStatus: null,
  });
}

function happens(percent: number): boolean {
  return randomInt(100) < percent;
}
