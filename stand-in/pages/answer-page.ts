import type { Call, Reply } from '../lib/call.ts';
import { approveOrder, readOrder, secretsOf } from '../paypal/orders.ts';
import { PayPalRefusal } from '../paypal/refusal.ts';
import type { Order } from '../paypal/state.ts';
import { centsOf } from '../paypal/money.ts';
import { completeSession } from '../stripe/complete-session.ts';
import type { Session } from '../stripe/wire.ts';
import type { World } from '../world.ts';
import { answerSubscription } from './answer-subscription.ts';
import { renderPayPage } from './pay-page.ts';
import { goTo, notice } from './replies.ts';

const choices = ['pay', 'pay-later', 'fail-later', 'decline', 'cancel'] as const;
/** What can be pressed on the page. */
export type PageChoice = (typeof choices)[number];

/** Answers the pages that somebody pays on; undefined for any other path. */
export function answerPage(world: World, call: Call): Reply | undefined {
  const [, provider, id = ''] = /^\/pay\/(stripe|paypal)\/([\w-]+)$/.exec(call.path) ?? [];
  if (provider === undefined) return undefined;
  const chosen = call.method === 'POST' ? readChoice(call) : null;
  if (provider === 'stripe') return answerSession(world, id, chosen);
  return id.startsWith('I-') ? answerSubscription(world, id, chosen) : answerOrder(world, id, chosen);
}

function readChoice(call: Call): PageChoice | null {
  const choice = new URLSearchParams(call.body.toString()).get('choice');
  return choices.find((known) => known === choice) ?? null;
}

function answerSession(world: World, id: string, chosen: PageChoice | null): Reply {
  const { sessions } = world.state.stripe;
  const session = Object.hasOwn(sessions, id) ? sessions[id] : undefined;
  if (session === undefined)
    return notice(404, 'There is no such checkout', 'Its address may be incomplete.');
  if (session.status === 'expired')
    return notice(410, 'This checkout has expired', 'Go back and begin anew.');
  if (session.status === 'complete') return goTo(successUrlOf(session));
  if (chosen === null) return sessionPage(world, session, false);
  if (chosen === 'cancel') return goTo(session.cancel_url ?? successUrlOf(session));
  const outcome = completeSession(world, session, chosen);
  return outcome === 'declined' ? sessionPage(world, session, true) : goTo(successUrlOf(session));
}

function sessionPage(world: World, session: Session, wasDeclined: boolean): Reply {
  const [line] = world.state.stripe.checkoutSecrets[session.id]?.lineItems ?? [];
  const recurring = line?.price?.recurring ?? null;
  const body = renderPayPage({
    provider: 'Stripe',
    title: line?.description ?? 'Payment',
    amountCents: session.amount_total ?? 0,
    currency: session.currency ?? 'eur',
    rhythm:
      recurring &&
      `every ${recurring.interval_count > 1 ? `${recurring.interval_count} ` : ''}${recurring.interval}`,
    email: session.customer_details?.email ?? null,
    wasDeclined,
  });
  return { status: wasDeclined ? 402 : 200, body };
}

function successUrlOf(session: Session): string {
  return (session.success_url ?? '').replaceAll('{CHECKOUT_SESSION_ID}', session.id);
}

function answerOrder(world: World, id: string, chosen: PageChoice | null): Reply {
  const order = findOrder(world, id);
  if (order === undefined)
    return notice(404, 'There is no such order', 'It may have expired. Go back and begin anew.');
  const { returnUrl, cancelUrl } = secretsOf(world, order);
  const answer = new URL(returnUrl);
  answer.searchParams.set('token', order.id);
  if (order.status === 'APPROVED' || order.status === 'COMPLETED') return goTo(withPayer(answer, order));
  if (chosen === null) return orderPage(world, order);
  if (chosen === 'cancel') {
    const back = new URL(cancelUrl);
    back.searchParams.set('token', order.id);
    return goTo(back.href);
  }
  approveOrder(world, order, chosen);
  return goTo(withPayer(answer, order));
}

function findOrder(world: World, id: string): Order | undefined {
  try {
    return readOrder(world, id);
  } catch (error) {
    if (error instanceof PayPalRefusal) return undefined;
    throw error;
  }
}

function orderPage(world: World, order: Order): Reply {
  const [unit] = order.purchase_units;
  const body = renderPayPage({
    provider: 'PayPal',
    title: unit?.description ?? 'Payment',
    amountCents: unit ? centsOf(unit.amount) : 0,
    currency: unit?.amount.currency_code ?? 'EUR',
    rhythm: null,
    email: secretsOf(world, order).email,
    wasDeclined: false,
  });
  return { status: 200, body };
}

function withPayer(url: URL, order: Order): string {
  url.searchParams.set('PayerID', order.payer?.payer_id ?? '');
  return url.href;
}
