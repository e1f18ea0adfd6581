import type { Link, Money, Name } from './paypal-reference.ts';

// The part of PayPal's public reference that is about plans and subscriptions; see paypal-reference.ts.

/** Catalog products v1: `product`. */
export type Product = {
  id: string;
  name: string;
  description?: string;
  type?: 'PHYSICAL' | 'DIGITAL' | 'SERVICE';
  category?: string;
  image_url?: string;
  home_url?: string;
  create_time: string;
  update_time: string;
  links: Link[];
};

/** Subscriptions v1: `plan`. */
export type Plan = {
  id: string;
  product_id: string;
  name: string;
  status: 'CREATED' | 'INACTIVE' | 'ACTIVE';
  description?: string;
  usage_type?: 'LICENSED';
  billing_cycles: {
    frequency: { interval_unit: 'DAY' | 'WEEK' | 'MONTH' | 'YEAR'; interval_count?: number };
    tenure_type: 'REGULAR' | 'TRIAL';
    sequence: number;
    total_cycles?: number;
    pricing_scheme?: { version?: number; fixed_price?: Money; create_time?: string; update_time?: string };
  }[];
  payment_preferences?: {
    auto_bill_outstanding?: boolean;
    setup_fee?: Money;
    setup_fee_failure_action?: 'CONTINUE' | 'CANCEL';
    payment_failure_threshold?: number;
  };
  taxes?: { percentage: string; inclusive?: boolean };
  quantity_supported?: boolean;
  create_time: string;
  update_time: string;
  links: Link[];
};

/** Subscriptions v1: `subscription`. */
export type Subscription = {
  id: string;
  status: 'APPROVAL_PENDING' | 'APPROVED' | 'ACTIVE' | 'SUSPENDED' | 'CANCELLED' | 'EXPIRED';
  status_change_note?: string;
  status_update_time?: string;
  plan_id: string;
  plan_overridden?: boolean;
  quantity?: string;
  custom_id?: string;
  start_time?: string;
  shipping_amount?: Money;
  subscriber?: { email_address?: string; payer_id?: string; name?: Name };
  billing_info?: {
    outstanding_balance: Money;
    cycle_executions?: {
      tenure_type: 'REGULAR' | 'TRIAL';
      sequence: number;
      cycles_completed: number;
      cycles_remaining?: number;
      current_pricing_scheme_version?: number;
      total_cycles?: number;
    }[];
    last_payment?: { amount: Money; time: string };
    next_billing_time?: string;
    final_payment_time?: string;
    failed_payments_count: number;
    last_failed_payment?: {
      amount: Money;
      time: string;
      reason_code?:
        | 'PAYMENT_DENIED'
        | 'INTERNAL_SERVER_ERROR'
        | 'PAYEE_ACCOUNT_RESTRICTED'
        | 'PAYER_ACCOUNT_RESTRICTED'
        | 'PAYER_CANNOT_PAY'
        | 'SENDING_LIMIT_EXCEEDED'
        | 'TRANSACTION_RECEIVING_LIMIT_EXCEEDED'
        | 'CURRENCY_MISMATCH';
      next_payment_retry_time?: string;
    };
  };
  create_time: string;
  update_time?: string;
  links: Link[];
};

/** Subscriptions v1: the answer to `revise`. */
export type RevisedSubscription = {
  plan_id?: string;
  plan_overridden?: boolean;
  quantity?: string;
  links: Link[];
};

/** Subscriptions v1: `transactions_list`. */
export type SubscriptionPayments = {
  transactions: {
    status: 'COMPLETED' | 'DECLINED' | 'PARTIALLY_REFUNDED' | 'PENDING' | 'REFUNDED';
    id: string;
    amount_with_breakdown: {
      gross_amount: Money;
      fee_amount?: Money;
      tax_amount?: Money;
      net_amount?: Money;
    };
    payer_name?: Name;
    payer_email?: string;
    time: string;
  }[];
  total_items?: number;
  total_pages?: number;
  links: Link[];
};

/** Payments v1: `sale`, in whose form PayPal tells of payments for subscriptions. */
export type Sale = {
  id: string;
  state: 'completed' | 'partially_refunded' | 'pending' | 'refunded' | 'denied';
  amount: { total: string; currency: string; details?: { subtotal?: string } };
  payment_mode?: 'INSTANT_TRANSFER' | 'MANUAL_BANK_TRANSFER' | 'DELAYED_TRANSFER' | 'ECHECK';
  protection_eligibility?: 'ELIGIBLE' | 'PARTIALLY_ELIGIBLE' | 'INELIGIBLE';
  protection_eligibility_type?: string;
  transaction_fee?: { value: string; currency: string };
  billing_agreement_id: string;
  custom?: string;
  invoice_number?: string;
  create_time: string;
  update_time: string;
  links: Link[];
};

/** Payments v1: what is told of a payment for a subscription that goes back. */
export type SaleRefund = {
  id: string;
  sale_id: string;
  state: 'pending' | 'completed' | 'cancelled' | 'failed';
  amount: { total: string; currency: string };
  custom?: string;
  invoice_number?: string;
  create_time: string;
  update_time: string;
  links: Link[];
};
