/** Where the request for a mail came from, for the security trail. */
type MailOrigin = { ipAddress: string; userAgent: string | null };

/** What is told, where it happened (in the words of who did it) and when. */
export type SecurityMailJob = {
  email: string;
  kind: 'new_device' | 'attacked' | 'sign_in_after_failures' | 'sign_in_burst' | 'refresh_reused';
  at: string;
  device: string | null;
  ipAddress: string | null;
};
/** What an address is told of its account. */
export type Notice =
  | 'password_changed'
  | 'password_reset'
  | 'totp_enabled'
  | 'totp_disabled'
  | 'backup_codes_replaced'
  | 'passkey_added'
  | 'passkey_removed'
  | 'account_linked'
  | 'account_unlinked'
  | 'factors_reset'
  | 'factor_blocked'
  | 'email_change_asked'
  | 'email_changed';

/** What administrators are told of a dispute. */
export type DisputeNews = {
  provider: string;
  disputeId: string;
  status: 'open' | 'lost' | 'won';
  amountCents: number;
  currency: string;
  purchaseId: string | null;
  debt: number | null;
};

/**
 * Every kind of job with what it carries. A payload holds ids and addresses, never a secret: tokens are made
 * by the handler. One queue of pg-boss per kind, so that one kind's failures do not hold up another's.
 */
export type JobData = {
  /** Sends the link that confirms an address, if an account waits for that. */
  'send-verification-mail': { email: string; origin: MailOrigin };
  /** Sends the link that resets a password, if the address has an account. */
  'send-reset-mail': { email: string; origin: MailOrigin };
  /** Pays a signup bonus that has waited until its owner confirmed their address. */
  'pay-waiting-bonus': { userId: string };
  /** Tells an address of a sign-in or of an attack on its account. */
  'send-security-mail': SecurityMailJob;
  /** Tells an address what was done to its account. */
  'send-notice-mail': { email: string; notice: Notice; at: string };
  /** Sends the link that signs a person in, if the address has an account. */
  'send-magic-link-mail': { email: string; origin: MailOrigin };
  /** Sends the link that makes an address the one of an account. */
  'send-change-email-mail': { userId: string; newEmail: string; origin: MailOrigin };
  /** Tells who made an API key, for themselves or for an application, that there is one. */
  'send-api-key-mail': { email: string; name: string; applicationName: string | null; at: string };
  /** Tells an address that its account is erased; nobody but the handler can read it. */
  'send-erasure-mail': { sealedEmail: string; at: string };
  /** Removes what has been kept for as long as the settings say. */
  'forget-old-data': Record<string, never>;
  /** Something is due at an endpoint: it gets its turn. */
  'serve-endpoint': { endpointId: string };
  /** Finds endpoints at which something is due that nobody looks after any more. */
  'serve-endpoints': Record<string, never>;
  /** Tells an administrator of an application that one of its endpoints was switched off. */
  'send-endpoint-notice': { endpointId: string; email: string };
  /** Tells the administrators of an application who has asked for access since they were told last. */
  'announce-access-requests': { applicationId: string };
  /** Tells one of them of those requests, as far as they are still open. */
  'send-access-requests-mail': { requestIds: string[]; email: string };
  /** Tells whoever asked for access what became of it. */
  'send-access-decision-mail': { requestId: string };
  /** Tells an application that a person has signed out. */
  'send-logout-notice': { noticeId: string };
  /** Removes codes, tokens and the like that have died. */
  'clean-up-oauth': Record<string, never>;
  /** Proves a sample of the ledger. */
  'audit-ledger': Record<string, never>;
  /** Ends the holds that have expired and that nobody has looked at since. */
  'end-expired-holds': Record<string, never>;
  /** Forgets refusals that have been remembered under their idempotency keys for long enough. */
  'forget-refusals': Record<string, never>;
  /** Continues the chain over the audit trail. */
  'seal-audit-events': Record<string, never>;
  /** Activates accounts again whose ban is over. */
  'end-bans': Record<string, never>;
  /** Asks providers about purchases of which nothing has been heard. */
  'check-purchases': Record<string, never>;
  /** Sends a receipt, or says that a payment failed, or that a refund (`refundId`) is done. */
  'send-purchase-mail': { purchaseId: string; kind: 'receipt' | 'failed' | 'refund'; refundId: string };
  /** Tells a subscriber that a bill could not be paid. */
  'send-past-due-mail': { provider: 'stripe' | 'paypal'; invoiceId: string };
  /** Tells a person what automatic top-ups they have agreed to. */
  'send-top-up-mail': { userId: string };
  /** Asks providers again to send money back of which nobody knows whether they have heard. */
  'send-refunds': Record<string, never>;
  /** Finds disputes that administrators have not been told of. */
  'announce-disputes': Record<string, never>;
  /** Tells an administrator of a dispute, as it was then. */
  'send-dispute-mail': { email: string; dispute: DisputeNews };
  /** Compares what providers list with the ledger, and repairs what is safe. */
  'reconcile-payments': Record<string, never>;
  /** Tells an administrator that a comparison has found what only a person can decide. */
  'send-reconciliation-mail': { email: string; reconciliationId: string };
  /** Buys credits for wallets that have less than their owners want, with their saved cards. */
  'top-up-wallets': Record<string, never>;
  /** Does about warnings of stolen cards what the settings say. */
  'answer-fraud-warnings': Record<string, never>;
  /**
   * Asks providers about subscriptions that should have been renewed, and ends plans that nobody pays for.
   */
  'follow-subscriptions': Record<string, never>;
};

export type JobName = keyof JobData;

/** Where jobs end that used up their attempts; each is logged as an error and kept for 30 days. */
export const deadLetterQueue = 'dead-letters';

export type QueueSettings = {
  retryLimit: number;
  retryDelay: number;
  retryBackoff: boolean;
  retryDelayMax: number;
  expireInSeconds: number;
  retentionSeconds: number;
  deleteAfterSeconds: number;
};

const hourSeconds = 3600;
const daySeconds = 24 * hourSeconds;

/**
 * Mail is tried again for about a day (greylisting and outages end within hours): waits of 15 s to 2 h,
 * doubling. A process that dies with a job in hand holds it up for `expireInSeconds`.
 */
const mailQueue: QueueSettings = {
  retryLimit: 20,
  retryDelay: 15,
  retryBackoff: true,
  retryDelayMax: 2 * hourSeconds,
  expireInSeconds: 120,
  retentionSeconds: 2 * daySeconds,
  deleteAfterSeconds: daySeconds,
};

/**
 * When to try again to deliver an event is decided by the webhooks domain. What is tried again here is a
 * process that died or lost its database before it had an endpoint in its queue.
 */
const webhookQueue: QueueSettings = { ...mailQueue, retryDelayMax: 10 * 60 };

/** Who has signed out here should soon be signed out everywhere: tried for an hour, then it is no news. */
const logoutQueue: QueueSettings = { ...mailQueue, retryLimit: 12, retryDelay: 5, retryDelayMax: 10 * 60 };

/** A turn of the timetable that was missed is not made up for: the next one does the same. */
const timetableQueue: QueueSettings = {
  retryLimit: 1,
  retryDelay: 60,
  retryBackoff: true,
  retryDelayMax: 120,
  expireInSeconds: 300,
  retentionSeconds: hourSeconds,
  deleteAfterSeconds: daySeconds,
};

/** The last mail to somebody who is gone: what the job knows is not kept a minute longer than it takes. */
const erasureMailQueue: QueueSettings = { ...mailQueue, deleteAfterSeconds: 60 };

/** Providers list a day's payments in minutes, months of them in an hour. */
const reconciliationQueue: QueueSettings = { ...timetableQueue, expireInSeconds: 2 * hourSeconds };

export const queues: { readonly [Name in JobName]: QueueSettings } = {
  'send-verification-mail': mailQueue,
  'send-reset-mail': mailQueue,
  'send-notice-mail': mailQueue,
  'pay-waiting-bonus': mailQueue,
  'send-security-mail': mailQueue,
  'send-magic-link-mail': mailQueue,
  'send-change-email-mail': mailQueue,
  'send-api-key-mail': mailQueue,
  'send-erasure-mail': erasureMailQueue,
  'forget-old-data': timetableQueue,
  'serve-endpoint': webhookQueue,
  'serve-endpoints': timetableQueue,
  'send-endpoint-notice': mailQueue,
  'announce-access-requests': mailQueue,
  'send-access-requests-mail': mailQueue,
  'send-access-decision-mail': mailQueue,
  'send-logout-notice': logoutQueue,
  'clean-up-oauth': timetableQueue,
  'audit-ledger': timetableQueue,
  'end-expired-holds': timetableQueue,
  'forget-refusals': timetableQueue,
  'seal-audit-events': timetableQueue,
  'end-bans': timetableQueue,
  'check-purchases': timetableQueue,
  'send-purchase-mail': mailQueue,
  'send-past-due-mail': mailQueue,
  'send-top-up-mail': mailQueue,
  'send-refunds': timetableQueue,
  'announce-disputes': timetableQueue,
  'send-dispute-mail': mailQueue,
  'reconcile-payments': reconciliationQueue,
  'send-reconciliation-mail': mailQueue,
  'top-up-wallets': timetableQueue,
  'answer-fraud-warnings': timetableQueue,
  'follow-subscriptions': timetableQueue,
};

/**
 * Jobs that come by themselves, as cron expressions in UTC: each turn makes one job, whatever the number of
 * processes.
 */
export const timetable: { readonly [Name in JobName]?: string } = {
  'clean-up-oauth': '17 * * * *',
  'audit-ledger': '*/10 * * * *',
  'end-expired-holds': '* * * * *',
  'forget-refusals': '23 3 * * *',
  'seal-audit-events': '* * * * *',
  'end-bans': '* * * * *',
  'check-purchases': '* * * * *',
  'top-up-wallets': '* * * * *',
  'answer-fraud-warnings': '* * * * *',
  'follow-subscriptions': '*/15 * * * *',
  'forget-old-data': '41 3 * * *',
  'serve-endpoints': '* * * * *',
  'send-refunds': '* * * * *',
  'announce-disputes': '* * * * *',
  'reconcile-payments': '37 2 * * *',
};

export const jobNames = Object.keys(queues) as JobName[];

export const deadLetterSettings: QueueSettings = {
  retryLimit: 5,
  retryDelay: 15,
  retryBackoff: true,
  retryDelayMax: hourSeconds,
  expireInSeconds: 60,
  retentionSeconds: 30 * daySeconds,
  deleteAfterSeconds: 30 * daySeconds,
};
