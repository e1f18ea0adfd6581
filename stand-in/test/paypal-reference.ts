import type { Sale, SaleRefund, Subscription } from './paypal-billing-reference.ts';

export type * from './paypal-billing-reference.ts';

/**
 * What PayPal's public reference says of the answers that the service reads, in its names: every field of the
 * things that the stand-in answers with, those that always come without a question mark, words as PayPal
 * lists them. @see https://developer.paypal.com/api/rest/ and
 * https://github.com/paypal/paypal-rest-api-specifications
 */
export type Token = {
  scope: string;
  access_token: string;
  token_type: 'Bearer';
  app_id: string;
  expires_in: number;
  nonce: string;
};

export type Money = { currency_code: string; value: string };
type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD' | 'CONNECT' | 'OPTIONS' | 'PATCH';
export type Link = { href: string; rel: string; method?: Method };
export type Name = { given_name?: string; surname?: string; full_name?: string };
type Address = { country_code: string; address_line_1?: string; admin_area_2?: string; postal_code?: string };
type Payer = { name?: Name; email_address?: string; payer_id?: string; address?: Address };

/** Orders v2: `order`, `order_capture_response`. */
export type Order = {
  id: string;
  intent?: 'CAPTURE' | 'AUTHORIZE';
  status: 'CREATED' | 'SAVED' | 'APPROVED' | 'VOIDED' | 'COMPLETED' | 'PAYER_ACTION_REQUIRED';
  payment_source?: {
    paypal?: {
      email_address?: string;
      account_id?: string;
      account_status?: 'VERIFIED' | 'UNVERIFIED';
      name?: Name;
      address?: Address;
    };
  };
  purchase_units?: {
    reference_id?: string;
    description?: string;
    custom_id?: string;
    invoice_id?: string;
    amount?: Money;
    payee?: { email_address?: string; merchant_id?: string };
    payments?: { captures?: Omit<Capture, 'supplementary_data' | 'payee'>[] };
  }[];
  payer?: Payer;
  create_time?: string;
  update_time?: string;
  links: Link[];
};

/** Payments v2: `capture`. */
export type Capture = {
  id: string;
  status: 'COMPLETED' | 'DECLINED' | 'PARTIALLY_REFUNDED' | 'PENDING' | 'REFUNDED' | 'FAILED';
  status_details?: {
    reason?:
      | 'BUYER_COMPLAINT'
      | 'CHARGEBACK'
      | 'ECHECK'
      | 'INTERNATIONAL_WITHDRAWAL'
      | 'OTHER'
      | 'PENDING_REVIEW'
      | 'RECEIVING_PREFERENCE_MANDATES_MANUAL_ACTION'
      | 'REFUNDED'
      | 'TRANSACTION_APPROVED_AWAITING_FUNDING'
      | 'UNILATERAL'
      | 'VERIFICATION_REQUIRED';
  };
  amount: Money;
  invoice_id?: string;
  custom_id?: string;
  final_capture?: boolean;
  seller_protection?: {
    status?: 'ELIGIBLE' | 'PARTIALLY_ELIGIBLE' | 'NOT_ELIGIBLE';
    dispute_categories?: ('ITEM_NOT_RECEIVED' | 'UNAUTHORIZED_TRANSACTION')[];
  };
  seller_receivable_breakdown?: { gross_amount: Money; paypal_fee?: Money; net_amount?: Money };
  payee?: { email_address?: string; merchant_id?: string };
  supplementary_data?: { related_ids?: { order_id?: string; authorization_id?: string } };
  create_time: string;
  update_time: string;
  links: Link[];
};

/** Payments v2: `refund`. */
export type Refund = {
  id: string;
  status: 'CANCELLED' | 'FAILED' | 'PENDING' | 'COMPLETED';
  status_details?: { reason?: 'ECHECK' };
  amount: Money;
  invoice_id?: string;
  custom_id?: string;
  note_to_payer?: string;
  seller_payable_breakdown?: {
    gross_amount?: Money;
    paypal_fee?: Money;
    net_amount?: Money;
    total_refunded_amount?: Money;
  };
  create_time: string;
  update_time: string;
  links: Link[];
};

type LifeCycleStage = 'INQUIRY' | 'CHARGEBACK' | 'PRE_ARBITRATION' | 'ARBITRATION';
type DisputeReason =
  | 'MERCHANDISE_OR_SERVICE_NOT_RECEIVED'
  | 'MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED'
  | 'UNAUTHORISED'
  | 'CREDIT_NOT_PROCESSED'
  | 'DUPLICATE_TRANSACTION'
  | 'INCORRECT_AMOUNT'
  | 'PAYMENT_BY_OTHER_MEANS'
  | 'CANCELED_RECURRING_BILLING'
  | 'PROBLEM_WITH_REMITTANCE'
  | 'OTHER';

/** Disputes v1: `dispute_info`, of which lists are made. */
export type DisputeSummary = {
  dispute_id: string;
  create_time: string;
  update_time: string;
  reason: DisputeReason;
  status:
    | 'OPEN'
    | 'WAITING_FOR_BUYER_RESPONSE'
    | 'WAITING_FOR_SELLER_RESPONSE'
    | 'UNDER_REVIEW'
    | 'RESOLVED'
    | 'OTHER';
  dispute_state?:
    | 'OPEN_INQUIRIES'
    | 'REQUIRED_ACTION'
    | 'REQUIRED_OTHER_PARTY_ACTION'
    | 'UNDER_PAYPAL_REVIEW'
    | 'APPEALABLE'
    | 'RESOLVED';
  dispute_amount: Money;
  dispute_life_cycle_stage: LifeCycleStage;
  dispute_channel: 'INTERNAL' | 'EXTERNAL' | 'ALERT';
  buyer_response_due_date?: string;
  seller_response_due_date?: string;
  links: Link[];
};

/** Disputes v1: `dispute`. */
export type Dispute = Omit<DisputeSummary, 'dispute_state'> & {
  disputed_transactions: {
    buyer_transaction_id?: string;
    seller_transaction_id: string;
    reference_id?: string;
    create_time?: string;
    transaction_status?:
      | 'COMPLETED'
      | 'UNCLAIMED'
      | 'DENIED'
      | 'FAILED'
      | 'HELD'
      | 'PENDING'
      | 'PARTIALLY_REFUNDED'
      | 'REFUNDED'
      | 'REVERSED'
      | 'CANCELLED';
    gross_amount?: Money;
    invoice_number?: string;
    custom?: string;
    buyer?: { name?: string };
    seller?: { email?: string; merchant_id?: string; name?: string };
  }[];
  dispute_outcome?: {
    outcome_code?:
      | 'RESOLVED_BUYER_FAVOUR'
      | 'RESOLVED_SELLER_FAVOUR'
      | 'RESOLVED_WITH_PAYOUT'
      | 'CANCELED_BY_BUYER'
      | 'ACCEPTED'
      | 'DENIED'
      | 'NONE';
    amount_refunded?: Money;
  };
};

export type DisputeList = { items: DisputeSummary[]; links: Link[] };

/** Transaction search v1: `search_response`, with `fields=transaction_info`. */
export type TransactionReport = {
  transaction_details: {
    transaction_info: {
      transaction_id: string;
      paypal_reference_id?: string;
      paypal_reference_id_type?: 'ODR' | 'TXN' | 'SUB' | 'PAP';
      transaction_event_code: string;
      transaction_initiation_date: string;
      transaction_updated_date: string;
      transaction_amount: Money;
      transaction_status: 'D' | 'P' | 'S' | 'V';
      invoice_id?: string;
      custom_field?: string;
    };
  }[];
  account_number?: string;
  start_date?: string;
  end_date?: string;
  last_refreshed_datetime?: string;
  page: number;
  total_items: number;
  total_pages: number;
  links: Link[];
};

/** Webhooks v1: `event`, about a resource. */
type Event<Type extends string, ResourceType extends string, Resource> = {
  id: string;
  create_time: string;
  resource_type: ResourceType;
  event_version: '1.0';
  event_type: Type;
  summary: string;
  resource_version?: '1.0' | '2.0';
  resource: Resource;
  links: Link[];
};

type SubscriptionEvent = `BILLING.SUBSCRIPTION.${
  'CREATED' | 'ACTIVATED' | 'UPDATED' | 'CANCELLED' | 'SUSPENDED' | 'EXPIRED' | 'PAYMENT.FAILED'}`;

/** Every event that the stand-in tells of, by the names in PayPal's list of them. */
export type WebhookEvent =
  | Event<'CHECKOUT.ORDER.APPROVED' | 'CHECKOUT.ORDER.COMPLETED', 'checkout-order', Order>
  | Event<`PAYMENT.CAPTURE.${'COMPLETED' | 'DENIED' | 'DECLINED' | 'PENDING'}`, 'capture', Capture>
  | Event<'PAYMENT.CAPTURE.REFUNDED' | `PAYMENT.REFUND.${'FAILED' | 'PENDING'}`, 'refund', Refund>
  | Event<'PAYMENT.CAPTURE.REVERSED', 'refund', Refund>
  | Event<'PAYMENT.SALE.COMPLETED', 'sale', Sale>
  | Event<'PAYMENT.SALE.REFUNDED', 'refund', SaleRefund>
  | Event<'PAYMENT.SALE.REVERSED', 'sale', SaleRefund>
  | Event<SubscriptionEvent, 'subscription', Subscription>
  | Event<`CUSTOMER.DISPUTE.${'CREATED' | 'UPDATED' | 'RESOLVED'}`, 'dispute', Dispute>;

/** What is said of a call that is refused. */
export type Refusal = {
  name: string;
  message: string;
  debug_id: string;
  information_link?: string;
  details?: { issue: string; description?: string; field?: string; value?: string; location?: string }[];
  links?: Link[];
};
