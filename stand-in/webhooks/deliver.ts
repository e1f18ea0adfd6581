import { randomInt } from 'node:crypto';
import type { World } from '../world.ts';
import { paypalHeaders, stripeHeaders, type WebhookKeys } from './sign.ts';
import type { Delivery, Provider } from './state.ts';

/** Where deliveries go; none go anywhere before it is known. */
export type Targets = Partial<Record<Provider, string>>;

const timeoutMs = 10_000;
/** What is not taken is sent again after these times, and then given up. */
const retrySeconds = [5, 30, 120, 600, 3600, 3600, 10_800, 43_200, 86_400, 86_400];
/** Deliveries that have come to their end are kept for the control page, this many. */
const keptMax = 1000;

/**
 * Sends everything that is due, each with a signature of its own time, one after the other, and returns how
 * many there were. With the switch thrown they go in any order.
 */
export async function deliverDue(world: World, keys: WebhookKeys, targets: Targets): Promise<number> {
  const { chaos, deliveries } = world.state.webhooks;
  const now = world.sentAt().getTime();
  const due = deliveries.filter(
    (delivery) =>
      delivery.outcome === 'waiting' && delivery.dueMs <= now && targets[delivery.provider] !== undefined,
  );
  for (const delivery of chaos.shuffle ? shuffled(due) : due) {
    const target = targets[delivery.provider];
    if (target !== undefined) await attempt(world, delivery, { keys, target });
  }
  forgetOld(world);
  if (due.length > 0) world.save();
  return due.length;
}

async function attempt(
  world: World,
  delivery: Delivery,
  { keys, target }: { keys: WebhookKeys; target: string },
): Promise<void> {
  const headers =
    delivery.provider === 'stripe'
      ? stripeHeaders(world, delivery.body, keys.stripeSecrets)
      : paypalHeaders(world, delivery.body, keys);
  delivery.lastStatus = await post(target, delivery.body, headers);
  const wait = retrySeconds[delivery.attempts];
  delivery.attempts += 1;
  if (delivery.lastStatus >= 200 && delivery.lastStatus < 300) delivery.outcome = 'delivered';
  else if (wait === undefined) delivery.outcome = 'given up';
  else delivery.dueMs = world.sentAt().getTime() + wait * 1000;
}

/** The status of the answer; 0 when there was none. */
async function post(target: string, body: string, headers: Record<string, string>): Promise<number> {
  try {
    const response = await fetch(target, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json; charset=utf-8' },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

function shuffled<Item>(items: Item[]): Item[] {
  const left = [...items];
  return items.map(() => left.splice(randomInt(left.length), 1)[0] as Item);
}

function forgetOld(world: World): void {
  const { webhooks } = world.state;
  const ended = webhooks.deliveries.filter((delivery) => delivery.outcome !== 'waiting');
  const surplus = new Set(ended.slice(0, Math.max(0, ended.length - keptMax)));
  if (surplus.size > 0)
    webhooks.deliveries = webhooks.deliveries.filter((delivery) => !surplus.has(delivery));
}
