import type { World } from '../world.ts';
import { isoOf, timeOf } from './events.ts';
import { moneyOf } from './money.ts';
import { PayPalRefusal } from './refusal.ts';

const spanMsMax = 31 * 86_400_000;

/** GET /v1/reporting/transactions: every movement of money of at most 31 days, by pages */
export function reportTransactions(world: World, query: URLSearchParams) {
  const from = timeIn(query, 'start_date');
  const to = timeIn(query, 'end_date');
  if (to < from || to - from > spanMsMax) {
    throw PayPalRefusal.invalid('/end_date', query.get('end_date'), 'The date range must be within 31 days.');
  }
  const pageSize = countIn(query, 'page_size', { usual: 100, max: 500 });
  const page = countIn(query, 'page', { usual: 1, max: 10_000 });
  // Movements are known by whole seconds.
  const first = from - (from % 1000);
  const all = world.state.paypal.movements.filter(
    ({ at }) => Date.parse(at) >= first && Date.parse(at) <= to,
  );
  const transactions = all.slice((page - 1) * pageSize, page * pageSize);
  const self = new URL(`${world.url}/v1/reporting/transactions?${query.toString()}`);
  return {
    transaction_details: transactions.map((movement) => ({
      transaction_info: {
        transaction_id: movement.id,
        ...(movement.referenceId === null
          ? {}
          : {
              paypal_reference_id: movement.referenceId,
              paypal_reference_id_type: movement.code === 'T0002' ? 'SUB' : 'TXN',
            }),
        transaction_event_code: movement.code,
        transaction_initiation_date: movement.at,
        transaction_updated_date: movement.at,
        transaction_amount: moneyOf(movement.amountCents, movement.currency),
        transaction_status: movement.status,
        ...(movement.customId === null ? {} : { custom_field: movement.customId }),
        ...(movement.invoiceId === null ? {} : { invoice_id: movement.invoiceId }),
      },
    })),
    account_number: 'STANDINMERCHANT',
    start_date: isoOf(new Date(from)),
    end_date: isoOf(new Date(to)),
    last_refreshed_datetime: timeOf(world),
    page,
    total_items: all.length,
    total_pages: Math.max(1, Math.ceil(all.length / pageSize)),
    links: [{ href: self.href, rel: 'self', method: 'GET' }],
  };
}

/** GET /v1/notifications/webhooks-events: what has happened, delivered or not, newest first */
export function listEvents(world: World, query: URLSearchParams) {
  const from = Date.parse(query.get('start_time') ?? '');
  const to = Date.parse(query.get('end_time') ?? '');
  const type = query.get('event_type');
  const limit = countIn(query, 'page_size', { usual: 10, max: 300 });
  const found = Object.values(world.state.paypal.events)
    .filter(
      (event) =>
        (type === null || event.event_type === type) &&
        !(Date.parse(event.create_time) < from) &&
        !(Date.parse(event.create_time) > to),
    )
    .toReversed();
  const after = query.get('after');
  const start = after === null ? 0 : found.findIndex(({ id }) => id === after) + 1;
  const events = found.slice(start, start + limit);
  const last = events.at(-1);
  const next = new URL(`${world.url}/v1/notifications/webhooks-events?${query.toString()}`);
  next.searchParams.set('after', last?.id ?? '');
  const isLast = start + limit >= found.length;
  return {
    events,
    count: events.length,
    links: isLast ? [] : [{ href: next.href, rel: 'next', method: 'GET' }],
  };
}

function timeIn(query: URLSearchParams, name: string): number {
  const time = Date.parse(query.get(name) ?? '');
  if (Number.isNaN(time)) throw PayPalRefusal.invalid(`/${name}`, query.get(name), 'A time is needed.');
  return time;
}

/** A whole number of a query, within bounds. */
export function countIn(
  query: URLSearchParams,
  name: string,
  { usual, max }: { usual: number; max: number },
): number {
  const text = query.get(name);
  if (text === null) return usual;
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > max)
    throw PayPalRefusal.invalid(`/${name}`, text, `The value must be 1 to ${max}.`);
  return count;
}
