import type {
  CreditsPage,
  PackView,
  PlanView,
  PurchaseRow,
  SubscriptionView,
  TopUpView,
} from '../../../web/src/credits-pages.ts';
import type { Form, Page } from '../../../web/src/page.ts';

const form: Form = { action: '/sent', hidden: { csrf: 'csrf-token' } };

const euros = { currency: 'EUR' };
const packs: PackView[] = [
  { id: 'starter', name: 'Starter', credits: 500, priceCents: 500, ...euros },
  { id: 'standard', name: 'Standard', credits: 1000, priceCents: 1000, ...euros },
  { id: 'large', name: 'Large', credits: 5000, priceCents: 4500, ...euros },
];

const plus: PlanView = {
  id: 'plus',
  name: 'Plus',
  description: 'Unused credits stay for another month.',
  credits: 1000,
  priceCents: 899,
  interval: 'month',
  ...euros,
};
const pro: PlanView = { ...plus, id: 'pro', name: 'Pro', description: null, credits: 3000, priceCents: 2499 };

const purchase: PurchaseRow = {
  id: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d41',
  kind: 'pack',
  title: 'Standard',
  credits: 1000,
  priceCents: 1000,
  currency: 'EUR',
  status: 'completed',
  refundedCents: 0,
  isRefundAsked: false,
  createdAt: '2026-03-01T12:00:00.000Z',
  checkoutUrl: null,
  refund: form,
};

const history: PurchaseRow[] = [
  {
    ...purchase,
    id: '1',
    status: 'pending',
    checkoutUrl: 'https://checkout.stripe.example/c/1',
    refund: null,
  },
  { ...purchase, id: '2' },
  { ...purchase, id: '3', kind: 'period', title: 'Plus', priceCents: 899, isRefundAsked: true, refund: null },
  { ...purchase, id: '4', title: 'Large', credits: 5000, priceCents: 4500, refundedCents: 1234 },
  { ...purchase, id: '5', status: 'refunded', refundedCents: 1000, refund: null },
  { ...purchase, id: '6', status: 'failed', refund: null },
  { ...purchase, id: '7', status: 'disputed', refund: null },
];

const subscription: SubscriptionView = {
  status: 'active',
  plan: plus,
  nextPlan: null,
  periodEnd: '2026-04-01T12:00:00.000Z',
  endsAtPeriodEnd: false,
  checkoutUrl: null,
  change: { form, choices: [pro] },
  cancel: form,
  resume: null,
  portal: form,
};

const credits: CreditsPage = {
  name: 'credits',
  account: { name: 'Ada', email: 'ada@example.com' },
  scale: 0,
  available: 155,
  free: 155,
  paid: 0,
  held: 0,
  debt: 0,
  need: null,
  shop: { form, packs, providers: ['stripe'], canSaveCard: false, isTest: false },
  plans: { form, choices: [plus, pro] },
  subscription: null,
  topUp: null,
  purchases: [],
  moreCount: 0,
  arrival: null,
  refreshUrl: '/credits/now',
  done: null,
  problem: null,
};

const topUp: TopUpView = {
  status: 'active',
  reason: null,
  packName: 'Standard',
  packageId: 'standard',
  threshold: 100,
  priceCents: 1000,
  monthlyCapCents: 5000,
  chargedThisMonthCents: 2000,
  currency: 'EUR',
  typed: { packageId: 'standard', threshold: '100', monthlyCap: '50', isAgain: false },
  form,
  end: form,
};

const standard = { title: 'Standard', credits: 1000, checkoutUrl: null };

/** The page of credits in each of its states, and the way to a checkout. */
export const creditsSamples: Readonly<Record<string, Page>> = {
  credits,
  'credits-need': {
    ...credits,
    need: { missing: 640, pack: packs[1] as PackView },
    shop: { ...credits.shop, providers: ['stripe', 'paypal'], isTest: true },
  },
  'credits-top-up': {
    ...credits,
    shop: { ...credits.shop, canSaveCard: true },
    plans: null,
    topUp,
  },
  'credits-top-up-paused': {
    ...credits,
    plans: null,
    topUp: {
      ...topUp,
      status: 'paused',
      reason: 'payment_failed',
      typed: { packageId: 'large', threshold: '1e3', monthlyCap: '5', isAgain: true },
    },
    problem: { code: 'payments.cap_too_low', field: 'monthlyCap' },
  },
  'credits-need-too-much': { ...credits, need: { missing: 64_000, pack: null } },
  'credits-waiting': {
    ...credits,
    plans: null,
    arrival: { ...standard, state: 'waiting' },
    refreshUrl: '/credits-waiting/now',
  },
  'credits-arrived': {
    ...credits,
    available: 1155,
    paid: 1000,
    purchases: history.slice(1, 2),
    arrival: { ...standard, state: 'arrived' },
  },
  'credits-failed': {
    ...credits,
    arrival: { ...standard, state: 'failed' },
    purchases: history.slice(5, 6),
  },
  'credits-cancelled': {
    ...credits,
    arrival: { ...standard, state: 'cancelled', checkoutUrl: 'https://checkout.stripe.example/c/1' },
    purchases: history.slice(0, 1),
  },
  'credits-plan': {
    ...credits,
    account: {
      name: null,
      email: 'a.person.with.quite.a.long.address@correspondence.some-company.example',
    },
    available: 12_480,
    paid: 12_500,
    held: 175,
    plans: null,
    subscription: { ...subscription, nextPlan: pro },
    purchases: history,
    moreCount: 31,
    done: 'refund-asked',
  },
  'credits-plan-ending': {
    ...credits,
    plans: null,
    subscription: { ...subscription, endsAtPeriodEnd: true, change: null, cancel: null, resume: form },
    done: 'plan-cancelled',
  },
  'credits-plan-past-due': {
    ...credits,
    available: 0,
    free: 0,
    debt: 240,
    plans: null,
    subscription: { ...subscription, status: 'past_due', change: null },
  },
  'credits-plan-opening': {
    ...credits,
    plans: null,
    subscription: {
      ...subscription,
      status: 'opening',
      portal: null,
      periodEnd: null,
      checkoutUrl: 'https://checkout.stripe.example/c/2',
      change: null,
    },
  },
  'credits-refused': {
    ...credits,
    problem: { code: 'payments.provider_unavailable' },
  },
  'credits-none': {
    ...credits,
    scale: 3,
    available: 1500,
    free: 1250,
    paid: 250,
    shop: { ...credits.shop, packs: [], providers: [] },
    plans: null,
  },
  checkout: { name: 'checkout', url: 'https://checkout.stripe.example/c/1', host: 'checkout.stripe.example' },
};
