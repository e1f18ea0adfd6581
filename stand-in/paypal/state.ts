import type { Money } from './money.ts';
import type { Link } from './refusal.ts';

export type Capture = {
  id: string;
  status: 'COMPLETED' | 'DECLINED' | 'PARTIALLY_REFUNDED' | 'PENDING' | 'REFUNDED' | 'FAILED';
  status_details?: { reason: 'ECHECK' };
  amount: Money;
  payee: { email_address: string; merchant_id: string };
  invoice_id?: string;
  custom_id?: string;
  seller_protection: { status: 'ELIGIBLE'; dispute_categories: string[] };
  final_capture: boolean;
  seller_receivable_breakdown?: { gross_amount: Money; paypal_fee: Money; net_amount: Money };
  supplementary_data: { related_ids: { order_id: string } };
  create_time: string;
  update_time: string;
  links: Link[];
};

export type Payer = {
  name: { given_name: string; surname: string };
  email_address: string;
  payer_id: string;
  address: { country_code: string };
};

export type Order = {
  id: string;
  intent: 'CAPTURE';
  status: 'CREATED' | 'PAYER_ACTION_REQUIRED' | 'APPROVED' | 'COMPLETED';
  payment_source?: {
    paypal: {
      email_address?: string;
      account_id?: string;
      account_status?: 'VERIFIED';
      name?: Payer['name'];
      address?: Payer['address'];
    };
  };
  purchase_units: {
    reference_id: string;
    amount: Money;
    payee: { email_address: string; merchant_id: string };
    description?: string;
    custom_id?: string;
    invoice_id?: string;
    payments?: { captures: Omit<Capture, 'supplementary_data' | 'payee'>[] };
  }[];
  payer?: Payer;
  create_time: string;
  update_time?: string;
  links: Link[];
};

/** What somebody chose on the page of an order, for when it is captured; and where they go from there. */
export type OrderSecrets = {
  returnUrl: string;
  cancelUrl: string;
  email: string | null;
  choice: 'pay' | 'pay-later' | 'fail-later' | 'decline' | null;
};

export type Refund = {
  id: string;
  status: 'CANCELLED' | 'FAILED' | 'PENDING' | 'COMPLETED';
  amount: Money;
  invoice_id?: string;
  custom_id?: string;
  note_to_payer?: string;
  seller_payable_breakdown: {
    gross_amount: Money;
    paypal_fee: Money;
    net_amount: Money;
    total_refunded_amount: Money;
  };
  create_time: string;
  update_time: string;
  links: Link[];
};

/** A payment of a subscription, which PayPal tells of in the form of its first version. */
export type Sale = {
  id: string;
  state: 'completed' | 'partially_refunded' | 'refunded' | 'pending' | 'denied';
  amount: { total: string; currency: string; details: { subtotal: string } };
  payment_mode: 'INSTANT_TRANSFER';
  protection_eligibility: 'ELIGIBLE';
  protection_eligibility_type: string;
  transaction_fee: { value: string; currency: string };
  billing_agreement_id: string;
  custom?: string;
  create_time: string;
  update_time: string;
  links: Link[];
};

export type Product = {
  id: string;
  name: string;
  description?: string;
  type: 'PHYSICAL' | 'DIGITAL' | 'SERVICE';
  create_time: string;
  update_time: string;
  links: Link[];
};

export type IntervalUnit = 'DAY' | 'WEEK' | 'MONTH' | 'YEAR';

export type Plan = {
  id: string;
  product_id: string;
  name: string;
  description?: string;
  status: 'CREATED' | 'INACTIVE' | 'ACTIVE';
  billing_cycles: {
    frequency: { interval_unit: IntervalUnit; interval_count: number };
    tenure_type: 'REGULAR' | 'TRIAL';
    sequence: number;
    total_cycles: number;
    pricing_scheme: { version: number; fixed_price: Money; create_time: string; update_time: string };
  }[];
  payment_preferences: {
    auto_bill_outstanding: boolean;
    setup_fee_failure_action: 'CONTINUE' | 'CANCEL';
    payment_failure_threshold: number;
  };
  quantity_supported: boolean;
  create_time: string;
  update_time: string;
  links: Link[];
};

export type Subscription = {
  id: string;
  status: 'APPROVAL_PENDING' | 'APPROVED' | 'ACTIVE' | 'SUSPENDED' | 'CANCELLED' | 'EXPIRED';
  status_change_note?: string;
  status_update_time: string;
  plan_id: string;
  plan_overridden: boolean;
  quantity: string;
  custom_id?: string;
  start_time: string;
  subscriber: { email_address?: string; payer_id?: string; name?: Payer['name'] };
  billing_info?: {
    outstanding_balance: Money;
    cycle_executions: {
      tenure_type: 'REGULAR';
      sequence: number;
      cycles_completed: number;
      cycles_remaining: number;
      current_pricing_scheme_version: number;
      total_cycles: number;
    }[];
    last_payment?: { amount: Money; time: string };
    next_billing_time?: string;
    last_failed_payment?: {
      amount: Money;
      time: string;
      next_payment_retry_time: string;
      reason_code: string;
    };
    failed_payments_count: number;
  };
  create_time: string;
  update_time: string;
  links: Link[];
};

export type SubscriptionSecrets = {
  returnUrl: string;
  cancelUrl: string;
  /** The next attempts to charge for it are declined, until it is said otherwise. */
  declines: boolean;
  /** The day that periods are counted from. */
  anchor: string;
  /** The plan of a change that the customer has not agreed to yet. */
  revisedPlanId: string | null;
};

export type Dispute = {
  dispute_id: string;
  create_time: string;
  update_time: string;
  disputed_transactions: {
    buyer_transaction_id: string;
    seller_transaction_id: string;
    create_time: string;
    transaction_status: 'COMPLETED';
    gross_amount: Money;
    invoice_number?: string;
    custom?: string;
    buyer: { name: string };
    seller: { email: string; merchant_id: string; name: string };
  }[];
  reason: 'UNAUTHORISED';
  status: 'WAITING_FOR_SELLER_RESPONSE' | 'RESOLVED';
  dispute_amount: Money;
  dispute_outcome?: {
    outcome_code: 'RESOLVED_BUYER_FAVOUR' | 'RESOLVED_SELLER_FAVOUR';
    amount_refunded?: Money;
  };
  dispute_life_cycle_stage: 'CHARGEBACK';
  dispute_channel: 'INTERNAL';
  seller_response_due_date: string;
  links: Link[];
};

export type PayPalEvent = {
  id: string;
  event_version: '1.0';
  create_time: string;
  resource_type: string;
  resource_version?: '2.0';
  event_type: string;
  summary: string;
  resource: object;
  links: Link[];
};

/** A movement of money as the report of transactions lists it. */
export type Movement = {
  id: string;
  code: 'T0006' | 'T0002' | 'T1107' | 'T1106';
  referenceId: string | null;
  amountCents: number;
  currency: string;
  status: 'S' | 'P' | 'D';
  customId: string | null;
  invoiceId: string | null;
  at: string;
};

export type RememberedAnswer = { fingerprint: string; status: number; body: unknown; at: number };

export type PayPalState = {
  orders: Record<string, Order>;
  orderSecrets: Record<string, OrderSecrets>;
  captures: Record<string, Capture>;
  refunds: Record<string, Refund>;
  sales: Record<string, Sale>;
  products: Record<string, Product>;
  plans: Record<string, Plan>;
  subscriptions: Record<string, Subscription>;
  subscriptionSecrets: Record<string, SubscriptionSecrets>;
  disputes: Record<string, Dispute>;
  events: Record<string, PayPalEvent>;
  movements: Movement[];
  /** Payments that wait for the banks: what they end in, and when. */
  settlements: { captureId: string; outcome: 'succeeds' | 'fails'; dueMs: number }[];
  /** Access tokens, and until when they count. */
  tokens: Record<string, number>;
  answers: Record<string, RememberedAnswer>;
};

export function emptyPayPalState(): PayPalState {
  return {
    orders: {},
    orderSecrets: {},
    captures: {},
    refunds: {},
    sales: {},
    products: {},
    plans: {},
    subscriptions: {},
    subscriptionSecrets: {},
    disputes: {},
    events: {},
    movements: [],
    settlements: [],
    tokens: {},
    answers: {},
  };
}
