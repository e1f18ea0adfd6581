import type { AccountView, Form, Problem } from './page.ts';

export type ProviderName = 'stripe' | 'paypal';

/** Credits are units, of which a credit has 10^scale; prices are in the smallest unit of the currency. */
export type PackView = { id: string; name: string; credits: number; priceCents: number; currency: string };

export type PlanView = PackView & { description: string | null; interval: 'month' | 'year' };

/** Fields: `packageId`, `decision` (a provider). The hidden `key` makes one purchase of a form sent twice. */
export type ShopView = {
  form: Form;
  packs: PackView[];
  /** Who takes payments; nothing can be bought without one. */
  providers: ProviderName[];
  /** Whether a card can be kept for automatic top-ups: the field `saveCard`. */
  canSaveCard: boolean;
  /** Whether no real money moves. */
  isTest: boolean;
};

/** What somebody came for: so many credits are missing, and this is the smallest pack that brings them. */
export type NeedView = { missing: number; pack: PackView | null };

/** What somebody sees who comes back from a checkout. */
export type ArrivalView = {
  state: 'waiting' | 'arrived' | 'failed' | 'cancelled';
  title: string;
  credits: number;
  /** Where to pay after all, while that is possible. */
  checkoutUrl: string | null;
};

export type SubscriptionView = {
  status: 'opening' | 'incomplete' | 'active' | 'past_due';
  plan: PlanView;
  /** What it changes to with the next period. */
  nextPlan: PlanView | null;
  /** ISO 8601. */
  periodEnd: string | null;
  endsAtPeriodEnd: boolean;
  /** Where to pay, while it is `opening`. */
  checkoutUrl: string | null;
  /** Field: `planId`, one of `choices`. */
  change: { form: Form; choices: PlanView[] } | null;
  cancel: Form | null;
  resume: Form | null;
  /** Leads to the provider's page for cards and bills; null where it has none. */
  portal: Form | null;
};

export type PurchaseRow = {
  id: string;
  kind: 'pack' | 'top_up' | 'period';
  title: string;
  credits: number;
  priceCents: number;
  currency: string;
  status: 'pending' | 'completed' | 'failed' | 'refunded' | 'disputed';
  refundedCents: number;
  /** Whether a refund has been asked for that is not done yet. */
  isRefundAsked: boolean;
  /** ISO 8601. */
  createdAt: string;
  checkoutUrl: string | null;
  /** How a refund is asked for: `reason`. */
  refund: Form | null;
};

export type TopUpFields = { packageId: string | null; threshold: string; monthlyCap: string };

/**
 * A pack that is bought with a saved card whenever less than `threshold` is available. Fields of `form`:
 * `packageId`, `threshold` (credits), `monthlyCap` (whole units of the currency).
 */
export type TopUpView = {
  status: 'off' | 'active' | 'paused';
  /** Why it is paused. */
  reason: string | null;
  packName: string | null;
  packageId: string | null;
  threshold: number | null;
  priceCents: number | null;
  monthlyCapCents: number | null;
  chargedThisMonthCents: number;
  currency: string;
  /** What the fields begin with; `isAgain`: what was typed in the try before. */
  typed: TopUpFields & { isAgain: boolean };
  form: Form;
  end: Form | null;
};

export type CreditsDone =
  'top-up-agreed' | 'top-up-ended' | 'plan-changed' | 'plan-cancelled' | 'plan-resumed' | 'refund-asked';

/** A person's wallet, and all that can be bought for it. Every change is a form of its own. */
export type CreditsPage = {
  name: 'credits';
  account: AccountView;
  /** Decimal places of a credit. */
  scale: number;
  available: number;
  free: number;
  paid: number;
  held: number;
  /** What the next credits that come in repay. */
  debt: number;
  need: NeedView | null;
  shop: ShopView;
  /** Fields: `planId`, `decision` (a provider); null for who has subscribed. */
  plans: { form: Form; choices: PlanView[] } | null;
  subscription: SubscriptionView | null;
  /** Null where no card can be kept. */
  topUp: TopUpView | null;
  /** Newest first. */
  purchases: PurchaseRow[];
  /** How many older ones there are. */
  moreCount: number;
  arrival: ArrivalView | null;
  /** Answers with this page as JSON, as it is now. */
  refreshUrl: string;
  done: CreditsDone | null;
  problem: Problem | null;
};

/** Leads on to where one pays, by itself; for who does not follow, a link. */
export type CheckoutPage = { name: 'checkout'; url: string; host: string };
