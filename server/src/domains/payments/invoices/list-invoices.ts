import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { toIso } from '../../../lib/to-iso.ts';
import type { InvoiceView } from './schemas.ts';

/** A bill as `payments.list_invoices` writes it. */
type InvoiceRow = {
  id: string;
  provider: string;
  status: string;
  purpose: string;
  amount_cents: number;
  currency: string;
  period_starts_at: string;
  period_ends_at: string;
  invoice_url: string | null;
  is_test: boolean;
  subscription_id: string;
  purchase_id: string | null;
  received_at: string;
};

/** A page of what the caller was billed, the youngest first. Throws `auth.session_ended`. */
export async function listInvoices(
  ctx: Ctx,
  caller: Caller,
  { limit, offset }: { limit: number; offset: number },
): Promise<{ items: InvoiceView[]; total: number }> {
  const { rows } = await ctx.db.asServiceFor(caller, (tx) =>
    tx.execute<{ invoice: InvoiceRow; total: number }>(
      sql`select l.invoice, l.total::integer as total from payments.list_invoices(${caller.userId}, ${limit}, ${offset}) l`,
    ),
  );
  return { items: rows.map(({ invoice }) => toInvoiceView(invoice)), total: rows[0]?.total ?? 0 };
}

function toInvoiceView(row: InvoiceRow): InvoiceView {
  return {
    id: row.id,
    provider: row.provider,
    status: row.status,
    purpose: row.purpose,
    amountCents: row.amount_cents,
    currency: row.currency,
    periodStart: toIso(row.period_starts_at),
    periodEnd: toIso(row.period_ends_at),
    invoiceUrl: row.invoice_url,
    isTest: row.is_test,
    subscriptionId: row.subscription_id,
    purchaseId: row.purchase_id,
    receivedAt: toIso(row.received_at),
  };
}
