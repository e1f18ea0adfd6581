import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { listParameters, pageOf } from './lists.ts';

/** GET /v1/events: what has happened, delivered or not. */
export function listEvents(world: World, form: Form) {
  form.only(...listParameters, 'type', 'types', 'delivery_success');
  const type = form.text('type');
  const types = [...form.texts('types'), ...(type === null ? [] : [type])];
  const delivered = form.flag('delivery_success');
  const wanted = Object.values(world.state.stripe.events).filter(
    (event) =>
      (types.length === 0 || types.some((name) => isOfType(event.type, name))) &&
      (delivered === null || wasDelivered(world, event.id) === delivered),
  );
  return pageOf(wanted, form, '/v1/events');
}

/** `charge.*` stands for all types of that kind. */
function isOfType(type: string, wanted: string): boolean {
  return wanted.endsWith('.*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}

function wasDelivered(world: World, eventId: string): boolean {
  return world.state.webhooks.deliveries.some(
    (delivery) => delivery.eventId === eventId && delivery.outcome === 'delivered',
  );
}
