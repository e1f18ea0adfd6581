import type { ProviderName } from './facts.ts';

/** A purchase as `payments.purchase_view` writes it, with what a checkout shows of its buyer. */
export type PurchaseRow = {
  id: string;
  wallet_id: string;
  user_id: string | null;
  package_id: string | null;
  kind: 'pack' | 'top_up' | 'period';
  title: string;
  credits: number;
  price_cents: number;
  currency: string;
  tax_behavior: 'inclusive' | 'exclusive' | 'unspecified';
  provider: ProviderName;
  is_live: boolean;
  saves_card: boolean;
  status: 'pending' | 'completed' | 'failed' | 'refunded' | 'disputed';
  transaction_id: string | null;
  checkout_id: string | null;
  checkout_url: string | null;
  posted_credits: number;
  refunded_cents: number;
  disputed_cents: number;
  created_at: string;
  completed_at: string | null;
  expires_at: string | null;
  email: string | null;
  customer_id: string | null;
};
