import { amountText, html, page, type Html } from '../pages/html.ts';
import type { World } from '../world.ts';
import { listPayments, type PaymentLine } from './payments.ts';

const linesMax = 30;

/** The page on which a developer does what banks, customers and time do. */
export function renderControlPage(world: World, said: string | null): string {
  return page(
    'Stand-in for payments',
    html`
      <h1>Stand-in for payments</h1>
      <p class="soft">What banks, customers and time do to payments; nobody is charged.</p>
      ${said === null ? html`` : html`<p class="note" role="status">${said}</p>`} ${clockCard(world)}
      ${paymentsCard(world)} ${subscriptionsCard(world)} ${disputesCard(world)} ${refundsCard(world)}
      ${chaosCard(world)} ${deliveriesCard(world)}
    `,
    { isWide: true },
  );
}

type Field = { name: string; value: string };

/** A button that does one thing. */
function button(action: string, words: string, ...fields: Field[]): Html {
  const hidden = fields.map(
    ({ name, value }) => html`<input type="hidden" name="${name}" value="${value}" />`,
  );
  return html`<form class="row" method="post" action="/control/${action}">
    ${hidden}<button>${words}</button>
  </form>`;
}

function card(title: string, content: Html): Html {
  return html`<section class="card">
    <h2>${title}</h2>
    ${content}
  </section>`;
}

function table(headings: string[], rows: Html[]): Html {
  if (rows.length === 0) return html`<p class="soft">None yet.</p>`;
  const head = headings.map((heading) => html`<th scope="col">${heading}</th>`);
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function clockCard(world: World): Html {
  const shown = world.now().toISOString().slice(0, 16).replace('T', ' ');
  return card(
    'Clock of the providers',
    html`<p>${shown} UTC</p>
      ${button('advance', 'A minute on', { name: 'minutes', value: '1' })}
      ${button('advance', 'A day on', { name: 'days', value: '1' })}
      ${button('advance', 'A month on', { name: 'days', value: '31' })}
      ${button('advance', 'A year on', { name: 'days', value: '366' })}`,
  );
}

function paymentsCard(world: World): Html {
  const rows = listPayments(world)
    .slice(0, linesMax)
    .map(
      (payment) =>
        html`<tr>
          <td>${payment.provider}<br /><code>${payment.id}</code></td>
          <td>${amountText(payment.amountCents, payment.currency)}</td>
          <td>${payment.status}</td>
          <td>${paymentButtons(payment)}</td>
        </tr>`,
    );
  return card('Payments', table(['Payment', 'Amount', 'State', 'What can happen'], rows));
}

function paymentButtons({ id, provider, isWaiting }: PaymentLine): Html {
  const payment = { name: 'payment', value: id };
  if (isWaiting) {
    return html`${button('settle', 'Money arrives', payment, { name: 'outcome', value: 'succeeds' })}
    ${button('settle', 'Money does not come', payment, { name: 'outcome', value: 'fails' })}`;
  }
  return html`${button('dispute', 'Dispute', payment)} ${button('refund', 'Refund the rest', payment)}
  ${provider === 'Stripe' ? button('warn-of-fraud', 'Early fraud warning', payment) : html``}`;
}

function subscriptionsCard(world: World): Html {
  const { stripe, paypal } = world.state;
  const all = [
    ...Object.values(stripe.subscriptions).map(({ id, status }) => ({
      id,
      status,
      declines: stripe.subscriptionSecrets[id]?.declines === true,
    })),
    ...Object.values(paypal.subscriptions).map(({ id, status }) => ({
      id,
      status,
      declines: paypal.subscriptionSecrets[id]?.declines === true,
    })),
  ];
  const rows = all.toReversed().map(({ id, status, declines }) => {
    const subscription = { name: 'subscription', value: id };
    return html`<tr>
      <td><code>${id}</code></td>
      <td>${status}</td>
      <td>
        ${button(
          'decline-renewals',
          declines ? 'Let renewals pass again' : 'Decline the next renewals',
          subscription,
          {
            name: 'declines',
            value: declines ? 'no' : 'yes',
          },
        )}
        ${button('cancel-subscription', 'End now', subscription, { name: 'when', value: 'at-once' })}
      </td>
    </tr>`;
  });
  return card('Subscriptions', table(['Subscription', 'State', 'What can happen'], rows));
}

function disputesCard(world: World): Html {
  const { stripe, paypal } = world.state;
  const all = [
    ...Object.values(stripe.disputes).map(({ id, status }) => ({ id, status })),
    ...Object.values(paypal.disputes).map(({ dispute_id: id, status }) => ({ id, status })),
  ];
  const rows = all.toReversed().map(({ id, status }) => {
    const dispute = { name: 'dispute', value: id };
    return html`<tr>
      <td><code>${id}</code></td>
      <td>${status}</td>
      <td>
        ${button('close-dispute', 'Seller wins', dispute, { name: 'outcome', value: 'won' })}
        ${button('close-dispute', 'Seller loses', dispute, { name: 'outcome', value: 'lost' })}
      </td>
    </tr>`;
  });
  return card('Disputes', table(['Dispute', 'State', 'What can happen'], rows));
}

function refundsCard(world: World): Html {
  const { stripe, paypal } = world.state;
  const all = [...Object.values(stripe.refunds), ...Object.values(paypal.refunds)];
  const rows = all.toReversed().map(({ id, status }) => {
    const refund = { name: 'refund', value: id };
    return html`<tr>
      <td><code>${id}</code></td>
      <td>${status ?? ''}</td>
      <td>
        ${button('end-refund', 'Arrives', refund, { name: 'outcome', value: 'succeeded' })}
        ${button('end-refund', 'Fails', refund, { name: 'outcome', value: 'failed' })}
      </td>
    </tr>`;
  });
  return card('Refunds', table(['Refund', 'State', 'What can happen'], rows));
}

function chaosCard(world: World): Html {
  const { chaos } = world.state.webhooks;
  const shuffle = chaos.shuffle
    ? html`<input type="checkbox" name="shuffle" value="yes" checked />`
    : html`<input type="checkbox" name="shuffle" value="yes" />`;
  return card(
    'Chaos in deliveries',
    html`<form class="stack" method="post" action="/control/chaos">
      ${numberField('duplicatePercent', 'Delivered twice, %', chaos.duplicatePercent)}
      ${numberField('dropPercent', 'Lost, %', chaos.dropPercent)}
      ${numberField('resendUnderNewIdPercent', 'Sent again under a new id, %', chaos.resendUnderNewIdPercent)}
      ${numberField('delaySecondsMax', 'Late by up to, seconds', chaos.delaySecondsMax)}
      <label>${shuffle} In any order</label>
      <button>Set</button>
    </form>`,
  );
}

function numberField(name: string, words: string, value: number): Html {
  return html`<label>${words} <input name="${name}" inputmode="numeric" value="${value}" /></label>`;
}

function deliveriesCard(world: World): Html {
  const rows = world.state.webhooks.deliveries
    .slice(-linesMax)
    .toReversed()
    .map(
      (delivery) =>
        html`<tr>
          <td>${delivery.type}<br /><code>${delivery.eventId}</code></td>
          <td>${delivery.outcome}</td>
          <td>${delivery.attempts}, last ${delivery.lastStatus ?? 'none'}</td>
          <td>${button('resend', 'Send again', { name: 'event', value: delivery.eventId })}</td>
        </tr>`,
    );
  return card(
    'Deliveries',
    html`${button('retry-now', 'Send what waits now')}${table(['Event', 'Outcome', 'Attempts', ''], rows)}`,
  );
}
