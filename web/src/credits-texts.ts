import { creditsOf, creditUnitsOf, dayOf, moneyOf } from './format.ts';
import type {
  ArrivalView,
  CreditsPage,
  PackView,
  PlanView,
  PurchaseRow,
  TopUpView,
} from './credits-pages.ts';

const per = { month: 'a month', year: 'a year' };
const every = { month: 'every month', year: 'every year' };

const purchaseStates: Record<PurchaseRow['status'], string> = {
  pending: 'Not paid yet',
  completed: 'Paid',
  failed: 'Not paid',
  refunded: 'Refunded',
  disputed: 'Called back by your bank',
};

/** Why automatic top-ups are paused. */
const pauses: Record<string, string | undefined> = {
  payment_failed: 'your card was declined',
  payment_reversed: 'a payment was refunded or called back, or you owe credits',
  price_changed: 'the pack costs something else, or brings fewer credits',
  package_unavailable: 'the pack is not sold any more',
  limit_reached: 'you have bought as many of these packs as one may',
};

const arrivals: Record<ArrivalView['state'], (credits: string, title: string) => string> = {
  waiting: (credits, title) =>
    `We wait for your payment of “${title}”. Your ${credits} will appear here by themselves.`,
  arrived: (credits, title) => `Your payment of “${title}” is here: ${credits} have arrived.`,
  failed: (_credits, title) => `The payment of “${title}” did not go through. You have not been charged.`,
  cancelled: (_credits, title) => `You have not paid for “${title}”. Nothing was charged.`,
};

/** The words of the page about credits, and of the way to a checkout. */
export const creditsTexts = {
  credits: {
    title: 'Your credits',
    lead: 'One wallet for all your apps.',
    available: (available: number, scale: number) =>
      available === 10 ** scale ? 'credit to spend' : 'credits to spend',
    breakdown: ({ free, paid, held, scale }: Pick<CreditsPage, 'free' | 'paid' | 'held' | 'scale'>) => {
      const parts = `${creditUnitsOf(free, scale)} free, ${creditUnitsOf(paid, scale)} paid`;
      return held === 0 ? `${parts}.` : `${parts}; ${creditUnitsOf(held, scale)} of them set aside by apps.`;
    },
    debt: (debt: number, scale: number) =>
      `You owe ${creditUnitsOf(debt, scale)} credits; what comes in next repays them first.`,
    test: 'This is a test: you can try everything, and no real money moves.',
    arrival: ({ state, title, credits }: ArrivalView, scale: number) =>
      arrivals[state](creditsOf(credits, scale), title),
    lookAgain: 'Look again',
    payAfterAll: 'Go back to the payment',

    need: (missing: number, scale: number) =>
      `${creditsOf(missing, scale)} ${missing === 10 ** scale ? 'is' : 'are'} missing`,
    needPack: (pack: PackView, scale: number) =>
      `The pack “${pack.name}” brings you ${creditsOf(pack.credits, scale)}.`,
    needTooLarge: 'No pack alone is large enough. Choose below; you can buy several.',
    buyFor: (pack: PackView) => `Buy for ${moneyOf(pack.priceCents, pack.currency)}`,
    buyWithPaypal: 'Pay with PayPal',

    packs: 'Buy credits',
    otherPacks: 'Other packs',
    packsLead: 'They do not expire, and any of your apps can use them within its budget.',
    packsNone: 'Nothing can be bought here just now.',
    pack: 'Pack',
    packCredits: (pack: PackView, scale: number) => creditsOf(pack.credits, scale),
    price: (pack: PackView) => moneyOf(pack.priceCents, pack.currency),
    pay: { stripe: 'Go on to payment', paypal: 'Pay with PayPal' },
    payChoice: { stripe: 'Pay by card or bank', paypal: 'Pay with PayPal' },

    saveCard: 'Keep my card for automatic top-ups',

    topUp: 'Automatic top-up',
    topUpLead: 'Buys a pack with the card that you have kept, whenever your credits run low.',
    topUpActive: (topUp: TopUpView, scale: number) =>
      `With less than ${creditsOf(topUp.threshold ?? 0, scale)} left, “${topUp.packName ?? topUp.packageId}” is bought for ` +
      `${moneyOf(topUp.priceCents ?? 0, topUp.currency)}. At most ` +
      `${moneyOf(topUp.monthlyCapCents ?? 0, topUp.currency)} is charged a month; this month it was ` +
      `${moneyOf(topUp.chargedThisMonthCents, topUp.currency)} so far.`,
    topUpPaused: (reason: string | null) =>
      `It is paused: ${pauses[reason ?? ''] ?? 'something has changed'}. Nothing is charged until you agree anew.`,
    topUpSetUp: 'Set it up',
    topUpChange: 'Change it',
    threshold: 'When fewer credits are left than',
    monthlyCap: (currency: string) => `Most that is charged in a month, in ${currency}`,
    topUpAgree: 'Agree to automatic payments',
    topUpEnd: 'Switch it off',

    plans: 'Subscribe',
    plansLead: 'Credits that come by themselves, until you cancel.',
    plan: 'Plan',
    planCredits: (plan: PlanView, scale: number) =>
      `${creditsOf(plan.credits, scale)} ${every[plan.interval]}`,
    rhythm: per,
    subscribe: { stripe: 'Subscribe', paypal: 'Subscribe with PayPal' },

    subscription: 'Your plan',
    subscriptionLead: (plan: PlanView, scale: number) =>
      `${creditsOf(plan.credits, scale)} ${every[plan.interval]}, for ${moneyOf(plan.priceCents, plan.currency)} each.`,
    renews: (time: string) => `The next payment is due on ${dayOf(time)}.`,
    ends: (time: string) => `It ends on ${dayOf(time)}; nothing more is charged.`,
    changes: (plan: PlanView) => `From then on it is “${plan.name}”.`,
    opening: 'It begins when the first payment is made.',
    incomplete: 'The first payment is under way.',
    pastDue: 'The last payment failed. It is tried again within days; see to it that it can be made.',
    changeTo: 'Change to',
    changeHint:
      'A dearer plan counts at once, and you pay the difference. Any other begins with the next period.',
    change: 'Change the plan',
    cancel: 'Cancel the plan',
    cancelOpening: 'Do not subscribe',
    resume: 'Keep the plan',
    portal: 'Change your card, or see your bills',

    history: 'What you have bought',
    historyNone: 'Nothing yet.',
    states: purchaseStates,
    refundAsked: 'Refund asked for',
    refundedInPart: (row: PurchaseRow) => `${moneyOf(row.refundedCents, row.currency)} refunded`,
    boughtOn: (time: string) => `on ${dayOf(time)}`,
    more: (count: number) => (count === 1 ? 'There is one more.' : `There are ${count} more.`),
    payNow: 'Go on to payment',
    payNowFor: (row: PurchaseRow) => `${row.title}, ${dayOf(row.createdAt)}`,
    refund: 'Ask for a refund',
    refundLead: 'You get back what you have not spent. Those credits leave your wallet at once.',
    reason: 'Why?',
    refundSubmit: 'Ask for the refund',

    done: {
      'top-up-agreed': 'Automatic top-up is on.',
      'top-up-ended': 'Automatic top-up is off.',
      'plan-changed': 'Your plan is changed.',
      'plan-cancelled': 'Your plan is cancelled. What you have paid for stays.',
      'plan-resumed': 'Your plan goes on.',
      'refund-asked': 'Your refund is asked for. You get a mail when the money is on its way.',
    },
    link: 'Your credits',
  },

  checkout: {
    title: 'On to the payment',
    lead: (host: string) => `You pay at ${host}, and come back here.`,
    go: 'Go on',
  },
};

/** What may go wrong with buying. */
export const creditsProblems = {
  'payments.provider_not_set_up': {
    title: 'This way to pay is not offered',
    detail: 'Choose another one.',
  },
  'payments.package_unavailable': {
    title: 'This pack is not sold any more',
    detail: 'Choose another one. Nothing was charged.',
  },
  'payments.currency_unavailable': {
    title: 'This pack has no price in that currency',
    detail: 'Choose another one. Nothing was charged.',
  },
  'payments.limit_reached': {
    title: 'You have bought as many of these as one may',
    detail: 'Choose another pack. Those that are not paid yet count for a day.',
  },
  'payments.provider_unavailable': {
    title: 'The payment service does not answer',
    detail: 'You have not been charged. Try again in a moment.',
  },
  'payments.provider_refused': {
    title: 'The payment service has refused',
    detail: 'You have not been charged. Try again, or pay another way.',
  },
  'payments.not_supported': {
    title: 'The payment service cannot do that',
    detail: 'Nothing has changed.',
  },
  'payments.subscribed_already': {
    title: 'You have a plan already',
    detail: 'Change that one, or cancel it first.',
  },
  'payments.no_subscription': { title: 'You have no plan', detail: 'Load the page again.' },
  'payments.subscription_state': {
    title: 'That is not possible just now',
    detail: 'Your plan has changed meanwhile, or a payment is under way. Look at it again.',
  },
  'payments.plan_not_comparable': {
    title: 'You cannot change to this plan',
    detail: 'It is billed in another rhythm. Cancel yours, and subscribe to it when yours has ended.',
  },
  'payments.no_saved_card': {
    title: 'You have not kept a card yet',
    detail: 'Buy a pack with “Keep my card for automatic top-ups” first, then set this up.',
  },
  'payments.cap_too_low': {
    title: 'The most for a month is less than one pack costs',
    detail: 'Choose a higher amount, or a smaller pack.',
  },
  'payments.threshold_too_high': {
    title: 'That is more than the pack brings',
    detail: 'Choose a larger pack, or fewer credits.',
  },
  'payments.no_customer': {
    title: 'There is nothing to see there yet',
    detail: 'Pay for something first.',
  },
  'payments.not_refundable': {
    title: 'This cannot be refunded',
    detail: 'Only what has been paid, and has not gone back, can be.',
  },
  'payments.refund_open': {
    title: 'You have asked for this refund already',
    detail: 'You get a mail when it is done.',
  },
  'payments.refund_exceeds': {
    title: 'There is nothing left to refund',
    detail: 'You have spent these credits, or they have gone back already.',
  },
  'credits.wallet_inactive': {
    title: 'Your wallet is frozen',
    detail: 'Ask whoever runs this service.',
  },
};
