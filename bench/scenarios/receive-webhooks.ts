import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Environment } from '../lib/environment.ts';
import { requestText, sendLoad } from '../lib/load.ts';
import { alternate } from '../lib/measure.ts';
import type { Scenario } from '../lib/scenario.ts';
import { paidDelivery, priceCents } from '../lib/stripe-delivery.ts';

const webhooksPerSecond = 1000;
const webhookConnections = 50;
const balanceConnections = 8;

/**
 * Row 12: events of a payment provider come in a flood; each is applied once, and everybody else is served.
 */
export const receiveWebhooks: Scenario = {
  row: '12',
  title: 'POST /webhooks/stripe',
  group: 'http',
  async run(environment, { seconds, rounds }) {
    let slowest = Number.POSITIVE_INFINITY;
    const latency = await alternate(
      rounds,
      async () => {
        const flood = await prepareFlood(environment, webhooksPerSecond * seconds);
        const [balance, taken] = await Promise.all([
          balanceLatency(environment, seconds),
          sendFlood(environment, flood, seconds),
        ]);
        slowest = Math.min(slowest, taken);
        await assertApplied(environment, flood);
        return balance;
      },
      () => balanceLatency(environment, seconds),
    );
    const goal = { atLeast: 0.98 };
    const rate = { ours: slowest, theirs: webhooksPerSecond, ratio: slowest / webhooksPerSecond, rounds };
    return [
      {
        ...rate,
        label: `${webhookConnections} connections, all stored and applied once`,
        against: 'what is sent',
        unit: '/s',
        goal,
      },
      {
        ...latency,
        label: 'p99 of GET /balance meanwhile',
        against: 'its quiet p99',
        unit: ' ms',
        goal: { atMost: 3 },
      },
    ];
  },
};

/** Purchases that wait to be paid, and for each the delivery that says so. */
type Flood = { purchaseIds: string[]; requests: string[] };

async function prepareFlood({ people, ownerUrl }: Environment, count: number): Promise<Flood> {
  const purchases = Array.from({ length: count }, (_, index) => ({
    id: randomUUID(),
    userId: people[index % people.length]?.userId ?? '',
  }));
  const purchaseIds = purchases.map(({ id }) => id);
  await asOwner(ownerUrl, (client) =>
    client.query(
      `insert into credits.purchases (id, wallet_id, user_id, credits, price_cents, currency, provider, status, created_at)
         select id, person, person, 10, $3, 'EUR', 'stripe', 'pending', now()
           from unnest($1::uuid[], $2::uuid[]) as t (id, person)`,
      [purchaseIds, purchases.map(({ userId }) => userId), priceCents],
    ),
  );
  return { purchaseIds, requests: purchaseIds.map(deliveryOf) };
}

function deliveryOf(purchaseId: string): string {
  const { event, signature } = paidDelivery(purchaseId);
  const request = requestText('POST', '/api/v1/webhooks/stripe', { body: event });
  return request.replace('\r\n\r\n', `\r\nStripe-Signature: ${signature}\r\n\r\n`);
}

/** How many a second were taken. Rejects when one was not. */
async function sendFlood({ port }: Environment, { requests }: Flood, seconds: number): Promise<number> {
  const load = { port, connections: webhookConnections, seconds, requests, perSecond: webhooksPerSecond };
  const { requestsPerSecond, statuses } = await sendLoad(load);
  const refused = Object.keys(statuses).filter((status) => status !== '200');
  if (refused.length > 0) throw new Error(`deliveries were refused: ${JSON.stringify(statuses)}`);
  return requestsPerSecond;
}

/**
 * Whatever was stored is applied, once: the credits of its purchase are in the ledger, and nothing else is.
 */
async function assertApplied({ ownerUrl }: Environment, { purchaseIds }: Flood): Promise<void> {
  const { rows } = await asOwner(ownerUrl, (client) =>
    client.query<{ stored: number; applied: number; posted: number }>(
      `select (select count(*)::integer from payments.events e
                where e.provider_event_id = any (select 'evt_' || id from unnest($1::uuid[]) as id)) as stored,
              (select count(*)::integer from credits.purchases p
                where p.id = any ($1) and p.status = 'completed' and p.posted_credits = 10) as applied,
              (select count(*)::integer from payments.postings o where o.purchase_id = any ($1)) as posted`,
      [purchaseIds],
    ),
  );
  const { stored = 0, applied, posted } = rows[0] ?? {};
  if (stored === 0 || applied !== stored || posted !== stored)
    throw new Error(`of ${stored} events ${applied} were applied, by ${posted} postings`);
}

async function asOwner<Result>(
  ownerUrl: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function balanceLatency({ port, tokens }: Environment, seconds: number): Promise<number> {
  const requests = tokens.map((token) => requestText('GET', '/api/v1/credits/balance', { token }));
  return (await sendLoad({ port, connections: balanceConnections, seconds, requests })).p99Ms;
}
