import type { Call, Reply } from '../lib/call.ts';
import { emit } from '../stripe/events.ts';
import { markForCancellation } from '../stripe/subscriptions.ts';
import { idOf, type PortalSession, type Subscription } from '../stripe/wire.ts';
import type { World } from '../world.ts';
import { amountText, html, page, type Html } from './html.ts';
import { goTo, notice } from './replies.ts';

/**
 * Answers the pages that Stripe has for customers: the portal, where they end a subscription or take that
 * back, their bills and their receipts; undefined for any other path.
 */
export function answerPortal(world: World, call: Call): Reply | undefined {
  const [, kind, id = ''] = /^\/(portal|invoices|receipts)\/(\w+)$/.exec(call.path) ?? [];
  if (kind === undefined) return undefined;
  const { portalSessions, invoices, charges } = world.state.stripe;
  if (kind === 'portal') {
    const session = Object.hasOwn(portalSessions, id) ? portalSessions[id] : undefined;
    return session ? answerSession(world, session, call) : absent;
  }
  if (kind === 'invoices') {
    const invoice = Object.hasOwn(invoices, id) ? invoices[id] : undefined;
    if (!invoice) return absent;
    const lines = invoice.lines.data.map(({ description, amount, currency }) => ({
      words: description ?? '',
      amount: amountText(amount, currency),
    }));
    const state = `${invoice.status ?? ''}, ${amountText(invoice.amount_due, invoice.currency)} due`;
    return bill(`Bill ${invoice.number ?? ''}`, state, lines);
  }
  const charge = Object.hasOwn(charges, id) ? charges[id] : undefined;
  if (!charge) return absent;
  const amount = amountText(charge.amount, charge.currency);
  return bill('Receipt', charge.status, [{ words: charge.description ?? 'Payment', amount }]);
}

const absent = notice(404, 'There is nothing here', 'The address may be incomplete.');

function bill(title: string, state: string, lines: { words: string; amount: string }[]): Reply {
  const rows = lines.map(
    ({ words, amount }) =>
      html`<tr>
        <td>${words}</td>
        <td>${amount}</td>
      </tr>`,
  );
  const body = html`<div class="card">
    <h1>${title}</h1>
    <p class="soft">${state}</p>
    <table>
      ${rows}
    </table>
  </div>`;
  return { status: 200, body: page(title, body) };
}

function answerSession(world: World, session: PortalSession, call: Call): Reply {
  const own = Object.values(world.state.stripe.subscriptions).filter(
    ({ customer, status }) => idOf(customer) === session.customer && status !== 'canceled',
  );
  if (call.method === 'POST') {
    const form = new URLSearchParams(call.body.toString());
    const subscription = own.find(({ id }) => id === form.get('subscription'));
    if (subscription) {
      const previous = { cancel_at_period_end: subscription.cancel_at_period_end };
      markForCancellation(world, subscription, form.get('cancels') === 'yes');
      emit(world, 'customer.subscription.updated', subscription, previous);
    }
    return goTo(call.path);
  }
  const back =
    session.return_url === null ? html`` : html`<p><a href="${session.return_url}">Go back</a></p>`;
  const rows = own.length === 0 ? [html`<p class="soft">No subscriptions.</p>`] : own.map(subscriptionRow);
  const body = html`<div class="card">
    <h1>Subscriptions and cards</h1>
    ${rows}${back}
  </div>`;
  return { status: 200, body: page('Customer portal', body) };
}

function subscriptionRow({ id, items, cancel_at_period_end: ends, currency }: Subscription): Html {
  const [item] = items.data;
  const until = new Date((item?.current_period_end ?? 0) * 1000).toISOString().slice(0, 10);
  return html`<form method="post">
    <p>
      ${amountText(item?.price.unit_amount ?? 0, currency)} every
      ${item?.price.recurring?.interval ?? 'month'}, ${ends ? 'ends' : 'renews'} on ${until}
    </p>
    <input type="hidden" name="subscription" value="${id}" />
    <button name="cancels" value="${ends ? 'no' : 'yes'}">
      ${ends ? 'Keep it' : 'End it with its period'}
    </button>
  </form>`;
}
