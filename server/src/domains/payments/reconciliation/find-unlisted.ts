import type { Ctx } from '../../../ctx.ts';
import { captureRuleOf } from '../capture-rule.ts';
import type { Fact } from '../fact.ts';
import type { PaymentProvider } from '../payment-provider.ts';
import { compareFacts } from './compare-facts.ts';
import type { Finding } from './count-open.ts';

type CountedRow = {
  key: string;
  kind: 'checkout' | 'purchase' | 'refund' | 'dispute';
  id: string;
  purchase_id: string | null;
  reason: string;
  ours: unknown;
};

type Search = {
  provider: PaymentProvider;
  since: Date;
  until: Date;
  /** What the provider has listed, by key. */
  seen: ReadonlySet<string>;
  /** Set when an export is compared: then nobody is asked. */
  listed?: AsyncIterable<Fact[]>;
};

const rowsMax = 500;
/**
 * PayPal lists a transaction up to three hours after it happened; what is younger is left to the next run.
 */
const listingDelayMs = 4 * 3_600_000;

/**
 * What counts here and the provider has not listed. A payment that is missing in the list is asked for by its
 * id before it is called missing: it is `matched` when the provider knows it. Purchases with credits but
 * without any payment are among them.
 */
export async function* findUnlisted(
  ctx: Ctx,
  { provider, since, until, seen, listed }: Search,
): AsyncGenerator<Finding | 'matched', void, undefined> {
  const settledBefore = until.getTime() - (provider.name === 'paypal' ? listingDelayMs : 0);
  for (let after = '', count = rowsMax; count === rowsMax;) {
    const rows = await ctx.db.call<CountedRow>(
      'select * from payments.list_counted($1, $2, $3, $4, $5, $6)',
      [provider.name, provider.isLive, since, new Date(settledBefore), after, rowsMax],
    );
    for (const row of rows) {
      if (seen.has(row.key)) continue;
      const isKnown = row.kind === 'checkout' && !listed && (await isMatched(ctx, provider, row.id));
      yield isKnown ? 'matched' : toFinding(row);
    }
    count = rows.length;
    after = rows.at(-1)?.key ?? after;
  }
}

async function isMatched(ctx: Ctx, provider: PaymentProvider, checkoutId: string): Promise<boolean> {
  const fact = await provider.readCheckout(checkoutId, captureRuleOf(ctx, provider));
  const [compared] = fact ? await compareFacts(ctx, provider, [fact], []) : [];
  return compared?.list === 'matched';
}

function toFinding({ kind, id, purchase_id: purchaseId, reason, ours }: CountedRow): Finding {
  return {
    list: 'onlyOurs',
    kind,
    id,
    purchaseId,
    reason,
    isSafe: false,
    isRepaired: false,
    ours,
    theirs: null,
  };
}
