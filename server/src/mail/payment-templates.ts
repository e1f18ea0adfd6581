import { compose, productName } from './compose.ts';
import type { Mail } from './index.ts';

/** What mails about payments have in common; amounts are written out already. */
type PaymentFacts = { to: string; title: string; price: string; pageUrl: string; isTest: boolean };

const button = (url: string) => ({ label: 'See your credits', url });
const testNote = 'This was a test: no real money has moved.';

/** Says that a payment has been made and its credits are there. */
export function receiptMail(
  values: PaymentFacts & { credits: string; at: Date; number: string; provider: string },
): Mail {
  const { to, title, price, credits, at, number, provider, pageUrl, isTest } = values;
  return compose(to, {
    subject: `Your ${productName} receipt: ${credits}`,
    paragraphs: [
      `Thank you. We have received ${price} for “${title}”, and ${credits} are in your wallet.`,
      `Date: ${at.toISOString().slice(0, 10)}`,
      `Paid through: ${provider}`,
      `Number: ${number}`,
      ...(isTest ? [testNote] : []),
    ],
    button: button(pageUrl),
    closing: 'Did you not buy this? On that page you can ask for a refund of what has not been spent.',
  });
}

/** Says that a payment did not go through. */
export function paymentFailedMail({ to, title, price, pageUrl, isTest }: PaymentFacts): Mail {
  return compose(to, {
    subject: `Your payment to ${productName} did not go through`,
    paragraphs: [
      `The payment of ${price} for “${title}” has failed. No credits were added, and you have not been charged.`,
      ...(isTest ? [testNote] : []),
    ],
    button: { label: 'Try again', url: pageUrl },
    closing: 'If you do not want to buy it any more, there is nothing to do.',
  });
}

/** Says that money is on its way back. */
export function refundMail(values: PaymentFacts & { amount: string }): Mail {
  const { to, title, price, amount, pageUrl, isTest } = values;
  return compose(to, {
    subject: `Your ${productName} refund of ${amount}`,
    paragraphs: [
      `We have sent back ${amount} of the ${price} that you paid for “${title}”.`,
      'Until it shows on your account, some days may pass.',
      ...(isTest ? [testNote] : []),
    ],
    button: button(pageUrl),
    closing: 'The credits that it paid for have left your wallet.',
  });
}

/** Says that a subscription could not be billed. */
export function pastDueMail({ to, plan, pageUrl }: { to: string; plan: string; pageUrl: string }): Mail {
  return compose(to, {
    subject: `The payment for your ${productName} plan failed`,
    paragraphs: [
      `The payment for your plan “${plan}” could not be made. It is tried again within the next days.`,
      'See to it that your card or account can be charged, so that your plan goes on.',
    ],
    button: button(pageUrl),
    closing: 'If you do not want the plan any more, you can cancel it on that page.',
  });
}

/** Says which automatic top-ups have been agreed to. */
export function topUpMail(values: {
  to: string;
  title: string;
  price: string;
  threshold: string;
  cap: string;
  pageUrl: string;
}): Mail {
  const { to, title, price, threshold, cap, pageUrl } = values;
  return compose(to, {
    subject: `Automatic top-ups of your ${productName} credits are on`,
    paragraphs: [
      `Whenever you have less than ${threshold}, we buy “${title}” for ${price} with your saved card.`,
      `In a calendar month that will be ${cap} at most. You can change or end it at any time.`,
    ],
    button: button(pageUrl),
    closing: 'Was this not you? End the top-ups on that page, and change your password.',
  });
}
