import type {
  ArrivalView,
  CreditsDone,
  CreditsPage,
  PackView,
  PurchaseRow,
} from '../../../../../web/src/credits-pages.ts';
import type { Problem } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { readOwnAccount } from '../../auth/index.ts';
import { listPackages, listRecentPurchases, readBalance, type Purchase } from '../../credits/index.ts';
import { readPurchase } from '../read-purchase.ts';
import { proposePack } from './propose-pack.ts';

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
};

export const creditsPath = '/credits';
/** More are a page of the API. */
const shownMax = 20;
/** So long after a payment its credits are still news. */
const newsMs = 60 * 60_000;
const dones = new Set<string>(['plan-changed', 'plan-cancelled', 'plan-resumed', 'refund-asked']);

/**
 * The page of a person's credits: what there is, what can be bought, and what was. What was just paid for is brought up
 * to what its provider says first. Throws `auth.session_ended`, `request.not_found` (no wallet).
 */
export async function buildCreditsPage(
  ctx: Ctx,
  caller: Caller,
  { query, hidden, problem }: CreditsPageOptions,
): Promise<CreditsPage> {
  const arrival = await readArrival(ctx, caller, query);
  const balance = await readBalance(ctx, caller);
  const packs = (await listPackages(ctx)).map(toPack);
  const { items, total } = await listRecentPurchases(ctx, caller, shownMax);
  const { providers } = ctx.payments;
  const { available, freeCreditsRemaining: free, balance: paid, held, debt, scale } = balance;
  const missing = readMissing(query.need);
  const key = ctx.random.bytes(16).toString('base64url');
  return {
    name: 'credits',
    account: await readOwnAccount(ctx, caller),
    ...{ scale, available, free, paid, held, debt },
    need: missing === null || arrival?.state === 'arrived' ? null : proposePack(packs, missing + debt),
    shop: {
      form: { action: `${creditsPath}/buy`, hidden: { ...hidden, key } },
      packs,
      providers: providers.map(({ name }) => name),
      isTest: providers.some(({ isLive }) => !isLive),
    },
    plans: null,
    subscription: null,
    purchases: items.map((purchase) => toRow(purchase)),
    moreCount: total - items.length,
    arrival,
    refreshUrl: refreshUrlOf(query),
    done: query.done !== undefined && dones.has(query.done) ? (query.done as CreditsDone) : null,
    problem: problem ?? null,
  };
}

function toPack({ id, name, credits, priceCents, currency }: PackView): PackView {
  return { id, name, credits, priceCents, currency };
}

/** How many credits are missing, as an app's answer has put it into the address. */
function readMissing(need: string | undefined): number | null {
  const missing = /^\d{1,16}$/.test(need ?? '') ? Number(need) : 0;
  return missing > 0 && Number.isSafeInteger(missing) ? missing : null;
}

/** What became of the purchase that somebody comes back from; nothing when it is none of theirs, or long ago. */
async function readArrival(ctx: Ctx, caller: Caller, query: CreditsQuery): Promise<ArrivalView | null> {
  const purchaseId = query.purchase ?? '';
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(purchaseId)) return null;
  try {
    const { status, title, credits, checkoutUrl, completedAt } = await readPurchase(ctx, caller, purchaseId);
    const isNews =
      completedAt === null || ctx.clock.now().getTime() - new Date(completedAt).getTime() < newsMs;
    if (status === 'refunded' || status === 'disputed' || !isNews) return null;
    const open = query.cancelled === undefined ? ('waiting' as const) : ('cancelled' as const);
    const state = status === 'pending' ? open : status === 'completed' ? 'arrived' : 'failed';
    return { state, title, credits, checkoutUrl };
  } catch (error) {
    if (error instanceof AppError && error.code === 'request.not_found') return null;
    throw error;
  }
}

function toRow(purchase: Purchase): PurchaseRow {
  const { id, kind, title, credits, priceCents, currency, status, refundedCents, createdAt } = purchase;
  return {
    ...{ id, kind, title, credits, priceCents, currency, status, refundedCents },
    isRefundAsked: false,
    createdAt: createdAt.toISOString(),
    checkoutUrl: status === 'pending' ? purchase.checkoutUrl : null,
    refund: null,
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
