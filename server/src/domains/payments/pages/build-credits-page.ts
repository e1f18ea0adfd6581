import type {
  CreditsDone,
  CreditsPage,
  PackView,
  PurchaseRow,
  TopUpFields,
} from '../../../../../web/src/credits-pages.ts';
import type { Problem } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { exactInteger } from '../../../lib/exact.ts';
import { readOwnAccount } from '../../auth/index.ts';
import { listPackages, listRecentPurchases, readBalance, type Purchase } from '../../credits/index.ts';
import { listPlans } from '../plans/list-plans.ts';
import { listOwnRefunds } from '../refunds/list-refunds.ts';
import type { RefundView } from '../refunds/schemas.ts';
import { creditsPath, planPath } from './paths.ts';
import { proposePack } from './propose-pack.ts';
import { readArrival } from './read-arrival.ts';
import { canSaveCard, readOwnTopUp } from './read-own-top-up.ts';
import { readOwnSubscription, toPlan, toSubscriptionView } from './read-own-subscription.ts';

/** What the address of the page says. */
export type CreditsQuery = {
  need?: string;
  purchase?: string;
  subscription?: string;
  cancelled?: string;
  done?: string;
};

export type CreditsPageOptions = {
  query: CreditsQuery;
  /** The hidden fields of every form. */
  hidden: Record<string, string>;
  problem?: Problem;
  /** What the form of automatic top-ups held in the try before. */
  typed?: TopUpFields;
};

/** More are a page of the API. */
const shownMax = 20;
const refundsMax = 100;
const dones = new Set<string>([
  'top-up-agreed',
  'top-up-ended',
  'plan-changed',
  'plan-cancelled',
  'plan-resumed',
  'refund-asked',
]);

/**
 * The page of a person's credits: what there is, what can be bought, and what was. What was just paid for is
 * brought up to what its provider says first. Throws `auth.session_ended`, `request.not_found` (no wallet).
 */
export async function buildCreditsPage(
  ctx: Ctx,
  caller: Caller,
  { query, hidden, problem, typed }: CreditsPageOptions,
): Promise<CreditsPage> {
  const subscription = await readOwnSubscription(ctx, caller);
  const arrival = await readArrival(ctx, caller, query, subscription);
  const balance = await readBalance(ctx, caller);
  const packs = (await listPackages(ctx)).map(toPack);
  const plans = (await listPlans(ctx)).map(toPlan);
  const { items, total } = await listRecentPurchases(ctx, caller, shownMax);
  const refunds = await listOwnRefunds(ctx, caller, { limit: refundsMax, offset: 0 });
  const asked = new Set(refunds.items.filter(isUnderWay).map(({ purchaseId }) => purchaseId));
  const { providers } = ctx.payments;
  const { available, freeCreditsRemaining: free, balance: paid, held, debt, scale } = balance;
  const missing = readMissing(query.need);
  const key = ctx.random.bytes(16).toString('base64url');
  return {
    name: 'credits',
    account: await readOwnAccount(ctx, caller),
    scale,
    available,
    free,
    paid,
    held,
    debt,
    need: missing === null || arrival?.state === 'arrived' ? null : proposePack(packs, missing + debt),
    shop: {
      form: { action: `${creditsPath}/buy`, hidden: { ...hidden, key } },
      packs,
      providers: providers.map(({ name }) => name),
      canSaveCard: canSaveCard(ctx),
      isTest: providers.some(({ isLive }) => !isLive),
    },
    plans:
      subscription === null && plans.length > 0 && providers.length > 0
        ? { form: { action: `${planPath}/subscribe`, hidden }, choices: plans }
        : null,
    subscription: subscription && toSubscriptionView(subscription, plans, hidden),
    topUp: await readOwnTopUp(ctx, caller, { packs, hidden, typed }),
    purchases: items.map((purchase) => toRow(purchase, asked.has(purchase.id), hidden)),
    moreCount: total - items.length,
    arrival,
    refreshUrl: refreshUrlOf(query),
    done: query.done !== undefined && dones.has(query.done) ? (query.done as CreditsDone) : null,
    problem: problem ?? null,
  };
}

/** The page without the ways to a provider's checkout. */
export function withoutCheckouts(page: CreditsPage): CreditsPage {
  const { purchases, subscription } = page;
  return {
    ...page,
    purchases: purchases.map((purchase) => ({ ...purchase, checkoutUrl: null })),
    subscription: subscription && { ...subscription, checkoutUrl: null },
  };
}

function toPack({ id, name, credits, priceCents, currency }: PackView): PackView {
  return { id, name, credits, priceCents, currency };
}

/** How many credits are missing, as an app's answer has put it into the address. */
export function readMissing(need: string | undefined): number | null {
  const missing = BigInt(/^\d{1,16}$/.test(need ?? '') ? (need ?? 0) : 0);
  return missing > 0n && missing <= Number.MAX_SAFE_INTEGER ? exactInteger(missing) : null;
}

/** Whether somebody waits for what becomes of it. */
function isUnderWay({ state }: RefundView): boolean {
  return state === 'requested' || state === 'approved' || state === 'pending';
}

function toRow(purchase: Purchase, isRefundAsked: boolean, hidden: Record<string, string>): PurchaseRow {
  const { id, kind, title, credits, priceCents, currency, status, refundedCents, createdAt } = purchase;
  const isRefundable = status === 'completed' && purchase.postedCredits > 0 && !isRefundAsked;
  return {
    id,
    kind,
    title,
    credits,
    priceCents,
    currency,
    status,
    refundedCents,
    isRefundAsked,
    createdAt: createdAt.toISOString(),
    checkoutUrl: status === 'pending' ? purchase.checkoutUrl : null,
    refund: isRefundable ? { action: `${creditsPath}/purchases/${id}/refund`, hidden } : null,
  };
}

/** Where the facts of this very page are, as JSON. */
function refreshUrlOf({ need, purchase, subscription }: CreditsQuery): string {
  const query = new URLSearchParams(Object.entries({ need, purchase, subscription }).filter(isSet));
  return `${creditsPath}/now${query.size > 0 ? `?${query.toString()}` : ''}`;
}

function isSet(pair: [string, string | undefined]): pair is [string, string] {
  return pair[1] !== undefined;
}
