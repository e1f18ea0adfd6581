import { amountText, html, page, type Html } from './html.ts';

export type PayPage = {
  provider: 'Stripe' | 'PayPal';
  /** What is bought. */
  title: string;
  amountCents: number;
  currency: string;
  /** `every month` and the like, for subscriptions. */
  rhythm: string | null;
  email: string | null;
  wasDeclined: boolean;
};

/** The page that somebody pays on, with a button for each way that it can go. */
export function renderPayPage(order: PayPage): string {
  const amount = amountText(order.amountCents, order.currency);
  const rhythm = order.rhythm === null ? '' : ` ${order.rhythm}`;
  const isOnce = order.rhythm === null;
  return page(
    `Pay ${amount}`,
    html`
      <div class="card">
        <p class="soft">Instead of ${order.provider}</p>
        <h1>${order.title}</h1>
        <div class="amount">${amount}${rhythm}</div>
        ${order.email === null ? html`` : html`<p class="soft">For ${order.email}</p>`}
        ${order.wasDeclined ? html`<p class="note" role="alert">The card was declined. Try another way.</p>` : html``}
        <form class="stack" method="post">
          ${choice('pay', `Pay ${amount}`, true)}
          ${isOnce ? choice('pay-later', 'Pay by bank transfer: arrives in a minute') : html``}
          ${isOnce ? choice('fail-later', 'Pay by bank transfer: fails in a minute') : html``}
          ${choice('decline', 'Use a card that is declined')} ${choice('cancel', 'Cancel and go back')}
        </form>
      </div>
      <p class="soft">
        This page stands in for a payment provider while Obol is developed. Every button does what its words
        say, and nobody is charged.
      </p>
    `,
  );
}

function choice(value: string, words: string, isFirst = false): Html {
  return isFirst
    ? html`<button class="first" name="choice" value="${value}">${words}</button>`
    : html`<button name="choice" value="${value}">${words}</button>`;
}

/** A page that says one thing, such as that there is nothing to pay. */
export function renderNotice(title: string, words: string): string {
  return page(
    title,
    html`<div class="card">
      <h1>${title}</h1>
      <p>${words}</p>
    </div>`,
  );
}
