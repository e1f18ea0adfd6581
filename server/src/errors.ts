/**
 * The one table of errors. A refusal anywhere in the service is `throw new AppError(code)`; what the client
 * reads (status, title, detail) stands here, and private detail goes to `cause` and the log.
 * `docs/reference/errors.md` is generated from this table.
 * @see RFC 9457 (problem details)
 */
export const errorTable = {
  'request.invalid': {
    status: 400,
    title: 'The request is malformed',
    detail: 'See `errors` for each field that is wrong.',
  },
  'request.invalid_json': {
    status: 400,
    title: 'The body is not valid JSON',
    detail: 'Send a JSON object with `Content-Type: application/json`.',
  },
  'request.invalid_text': {
    status: 400,
    title: 'A text holds characters that cannot be stored',
    detail: 'Remove null bytes and unpaired surrogates.',
  },
  'request.invalid_address': {
    status: 400,
    title: 'The address is malformed',
    detail: 'Percent-encode it as UTF-8.',
  },
  'request.timeout': {
    status: 408,
    title: 'The request took too long to arrive',
    detail: 'Send it again, faster.',
  },
  'request.address_too_long': {
    status: 414,
    title: 'The address is too long',
    detail: 'Shorten the part of the path that names the resource.',
  },
  'request.headers_too_large': {
    status: 431,
    title: 'The address and headers are too large',
    detail: 'Together they may have 16 KiB; send fewer or smaller cookies.',
  },
  'request.too_large': { status: 413, title: 'The body is too large', detail: 'Send a smaller body.' },
  'request.unsupported_media_type': {
    status: 415,
    title: 'The content type is not supported',
    detail: 'Send `Content-Type: application/json`.',
  },
  'request.not_found': {
    status: 404,
    title: 'No such resource',
    detail: 'Nothing is here, or you may not see it.',
  },
  'request.method_not_allowed': {
    status: 405,
    title: 'The method is not allowed here',
    detail: 'See the `Allow` header.',
  },
  'request.csrf': {
    status: 403,
    title: 'The form is too old',
    detail: 'Open the page again, with cookies allowed, then send it once more.',
  },
  'request.rate_limited': {
    status: 429,
    title: 'Too many requests',
    detail: 'Wait as long as `Retry-After` says, then try again.',
  },
  'server.internal': {
    status: 500,
    title: 'Something went wrong on our side',
    detail: 'Try again; if it stays, tell the operator the `requestId`.',
  },
  'server.busy': {
    status: 503,
    title: 'The service is busy',
    detail: 'Wait as long as `Retry-After` says, then try again.',
  },
  'server.unavailable': {
    status: 503,
    title: 'The service is not ready',
    detail: 'The database cannot be reached; try again soon.',
  },
  'auth.required': {
    status: 401,
    title: 'Sign in first',
    detail: 'Send an access token as `Authorization: Bearer …`.',
  },
  'auth.token_invalid': {
    status: 401,
    title: 'The access token is not valid',
    detail: 'It is malformed, expired or not meant for this service; refresh it or sign in.',
  },
  'auth.proof_invalid': {
    status: 401,
    title: 'The proof of possession is not valid',
    detail: 'Send a fresh `DPoP` proof for this method, address and access token, made with its key.',
  },
  'auth.session_ended': {
    status: 401,
    title: 'The session has ended',
    detail: 'It was signed out or revoked; sign in again.',
  },
  'auth.insufficient_scope': {
    status: 403,
    title: 'The token does not permit this',
    detail: 'Ask for a token with the scope that this call needs.',
  },
  'auth.admin_required': {
    status: 403,
    title: 'Only administrators may do this',
    detail: 'Ask an administrator of this service.',
  },
  'auth.impersonation_forbidden': {
    status: 403,
    title: 'Nothing is changed while you look at the account of somebody else',
    detail: 'An administrator who acts as a person sees what they see, and changes nothing.',
  },
  'auth.invalid_credentials': {
    status: 401,
    title: 'E-mail address or password is wrong',
    detail: 'Check both, or ask for a link to set a new password.',
  },
  'auth.account_deactivated': {
    status: 403,
    title: 'This account is deactivated',
    detail: 'Ask the operator to activate it again.',
  },
  'auth.step_up_required': {
    status: 403,
    title: 'Show first that it is still you',
    detail: 'Send one of `methods` to `POST /api/v1/auth/step-up`, then try again.',
  },
  'auth.second_factor_required': {
    status: 403,
    title: 'A second factor is needed',
    detail: 'The password was right. Finish with `challengeToken` and a code, or one other of `methods`.',
  },
  'auth.challenge_invalid': {
    status: 401,
    title: 'This sign-in has had its time',
    detail: 'It waited too long for its second factor, or had too many tries; begin again.',
  },
  'auth.code_wrong': {
    status: 403,
    title: 'The code is wrong',
    detail: 'Type the code that your app shows now; each works once. Or use a backup code.',
  },
  'auth.passkey_invalid': {
    status: 403,
    title: 'The passkey was not accepted',
    detail: 'It is unknown here, or its answer is too old, was used before or belongs to another site.',
  },
  'auth.passkey_exists': {
    status: 409,
    title: 'This passkey is registered already',
    detail: 'Use another device, or go on with the passkey that you have.',
  },
  'auth.factor_active': {
    status: 409,
    title: 'Codes from an app are switched on already',
    detail: 'Switch them off before setting up another app.',
  },
  'auth.factor_missing': {
    status: 409,
    title: 'There is no second factor to do this with',
    detail: 'Set one up first.',
  },
  'auth.provider_unknown': {
    status: 404,
    title: 'No such identity provider',
    detail: 'It is not set up here.',
  },
  'auth.return_not_allowed': {
    status: 400,
    title: 'The address to return to is not allowed',
    detail: 'Use a path of this service, or an address of a front end in CORS_ORIGINS or FRONTEND_URL.',
  },
  'auth.upstream_state': {
    status: 400,
    title: 'This sign-in has had its time',
    detail: 'It was finished before, took longer than ten minutes, or began in another browser; begin again.',
  },
  'auth.upstream_denied': {
    status: 403,
    title: 'The sign-in was cancelled',
    detail: 'You turned back at the identity provider.',
  },
  'auth.upstream_refused': {
    status: 403,
    title: 'The answer of the identity provider was not accepted',
    detail: 'Try again; if it stays, tell the operator the `requestId`.',
  },
  'auth.upstream_unavailable': {
    status: 503,
    title: 'The identity provider cannot be reached',
    detail: 'Try again soon, or sign in another way.',
  },
  'auth.upstream_email_missing': {
    status: 403,
    title: 'The identity provider gives no e-mail address',
    detail: 'An account here needs one: allow the provider to share it, or register here.',
  },
  'auth.upstream_email_taken': {
    status: 409,
    title: 'This address has an account already',
    detail:
      'The identity provider has not confirmed that the address is yours. Sign in the way you did before.',
  },
  'auth.email_unverified': {
    status: 403,
    title: 'An address is not confirmed',
    detail: 'Confirm your address here and at the identity provider, then connect the accounts.',
  },
  'auth.account_linked_elsewhere': {
    status: 409,
    title: 'This account belongs to somebody else here',
    detail: 'Sign in with it, and remove it there first.',
  },
  'auth.last_way_in': {
    status: 409,
    title: 'This is the only way to sign in',
    detail: 'Set a password or connect another account first.',
  },
  'auth.code_invalid': {
    status: 401,
    title: 'The one-time code is not valid',
    detail: 'It is unknown, older than a minute, was used, or is for another front end; sign in again.',
  },
  'auth.application_invalid': {
    status: 401,
    title: 'The application did not identify itself',
    detail: 'Its client id or secret is unknown, expired or switched off. Send both by HTTP Basic.',
  },
  'auth.key_invalid': {
    status: 401,
    title: 'The API key is not valid',
    detail: 'It is mistyped, unknown, revoked or expired, as `reason` says; make a new one.',
  },
  'api_keys.too_many': {
    status: 409,
    title: 'There are enough API keys',
    detail: 'Revoke one that is not needed; `max` says how many there may be.',
  },
  'api_keys.no_budget': {
    status: 409,
    title: 'The key has no budget',
    detail: 'A budget is given when a key is made; make another key with one.',
  },
  'api_keys.budget_holds': {
    status: 403,
    title: 'This key places no holds here',
    detail: 'A hold counts against one limit only; spend instead, or use a key without a budget.',
  },
  'applications.admin_required': {
    status: 403,
    title: 'Only administrators of the application may do this',
    detail: 'Ask one of them.',
  },
  'applications.last_admin': {
    status: 409,
    title: 'An application needs an administrator',
    detail: 'Make somebody else an administrator first, or delete the application.',
  },
  'applications.role_unknown': {
    status: 400,
    title: 'The application has no such role',
    detail: 'Choose one of its `roles`, or add the role to the application first.',
  },
  'applications.role_in_use': {
    status: 409,
    title: 'Somebody has this role',
    detail: 'Give those members another role first; `roles` names the ones in use.',
  },
  'applications.no_secret': {
    status: 409,
    title: 'This application has no secret',
    detail: 'Applications that run on devices of their users cannot keep one; they use PKCE instead.',
  },
  'applications.creation_restricted': {
    status: 403,
    title: 'You may not register applications here',
    detail: 'The operator has reserved that for administrators of this service; ask one of them.',
  },
  'applications.too_many': {
    status: 409,
    title: 'You have registered enough applications',
    detail: 'Delete one that is not needed; `max` says how many one person may have.',
  },
  'applications.resource_taken': {
    status: 409,
    title: 'Another application protects this API',
    detail: 'An identifier of `resources` belongs to one application; `resources` names the ones taken.',
  },
  'access.required': {
    status: 403,
    title: 'This application is open to its members only',
    detail: 'Ask for access as `accessRequest` says; an administrator of the application decides.',
  },
  'oauth.client_unknown': {
    status: 400,
    title: 'This application cannot be signed in to here',
    detail:
      'There is no such client id, it is switched off, or it has to prove itself in ways that this flow has not.',
  },
  'oauth.redirect_mismatch': {
    status: 400,
    title: 'The redirect address is not one of the application',
    detail: 'It is compared letter for letter; register it with the application first.',
  },
  'oauth.code_invalid': {
    status: 400,
    title: 'The code is not valid',
    detail: 'It is unknown, expired or used, or belongs to another application or verifier; sign in again.',
  },
  'access.not_needed': {
    status: 409,
    title: 'Nobody needs to ask here',
    detail: 'The application is open to everybody; just sign in to it.',
  },
  'access.already_member': {
    status: 409,
    title: 'You have access already',
    detail: 'Just sign in to the application.',
  },
  'access.request_open': {
    status: 409,
    title: 'You have asked already',
    detail: 'An administrator of the application decides on the request that `accessRequestId` names.',
  },
  'access.request_decided': {
    status: 409,
    title: 'This request is not open any more',
    detail: 'It was approved, denied or withdrawn, as `requestStatus` says.',
  },
  'access.own_request': {
    status: 403,
    title: 'Nobody decides on their own request',
    detail: 'Another administrator of the application does.',
  },
  'users.email_taken': {
    status: 409,
    title: 'This e-mail address already has an account',
    detail: 'Sign in, or ask for a link to set a new password.',
  },
  'users.username_taken': {
    status: 409,
    title: 'This username is taken',
    detail: 'Choose another one.',
  },
  'users.erasure_blocked': {
    status: 409,
    title: 'Something is left to be settled first',
    detail:
      'Make somebody else an owner of `teams`, and an administrator of `applications` or delete them; cancel ' +
      '`subscriptions`, and wait until `checkouts` have ended; then erase again.',
  },
  'users.unknown_email': {
    status: 404,
    title: 'Nobody has registered with this address',
    detail: 'Check the spelling, or let the person register first.',
  },
  'users.last_admin': {
    status: 409,
    title: 'The service needs an administrator',
    detail: 'This is the last one who is active; make somebody else an administrator first.',
  },
  'users.impersonation_refused': {
    status: 409,
    title: 'This account cannot be impersonated',
    detail: 'Only active accounts of ordinary people can, not those of administrators.',
  },
  'users.reset_refused': {
    status: 409,
    title: 'These second factors are not removed here',
    detail: 'Only those of other, active accounts are.',
  },
  'users.first_admin_link_invalid': {
    status: 400,
    title: 'The link does not work any more',
    detail:
      'It is unknown, expired or used, or there is an administrator already; a restart prints another one.',
  },
  'auth.password_unacceptable': {
    status: 400,
    title: 'This password cannot be used',
    detail: 'Choose another one; `errors` says why.',
  },
  'auth.work_required': {
    status: 400,
    title: 'A registration needs a solved challenge here',
    detail: 'Get one from `/api/v1/auth/challenge`, solve it, and send the solution as `proof`.',
  },
  'auth.work_invalid': {
    status: 400,
    title: 'This solution does not count',
    detail: 'It is wrong, expired or used, or its challenge is not one of ours; get and solve another.',
  },
  'auth.password_wrong': {
    status: 403,
    title: 'The current password is wrong',
    detail: 'Type the password that you sign in with now, or ask for a link to set a new one.',
  },
  'auth.sign_in_again': {
    status: 403,
    title: 'Sign in again first',
    detail: 'This needs a sign-in of the last ten minutes.',
  },
  'auth.link_invalid': {
    status: 400,
    title: 'The link does not work any more',
    detail: 'It is unknown, older than an hour or has been used; ask for a new one.',
  },
  'auth.refresh_invalid': {
    status: 401,
    title: 'The refresh token is not valid',
    detail: 'It is unknown or expired, or its session has ended; sign in again.',
  },
  'auth.refresh_superseded': {
    status: 401,
    title: 'The refresh token has just been used',
    detail: 'Another tab or request refreshed first; go on with the tokens that it received.',
  },
  'auth.refresh_reused': {
    status: 401,
    title: 'The refresh token was used twice',
    detail: 'It may have been stolen, so the session was ended; sign in again.',
  },
  'auth.cookie_invalid': {
    status: 401,
    title: 'Nobody is signed in here',
    detail: 'The sign-in cookie is missing, or its session has ended; sign in again.',
  },
  'auth.origin_not_allowed': {
    status: 403,
    title: 'This page may not use the sign-in cookie',
    detail: 'Add its origin to CORS_ORIGINS; without an `Origin`, send `Content-Type: application/json`.',
  },
  'auth.import_elsewhere': {
    status: 409,
    title: 'This file is being imported already',
    detail: 'Another run of the same import has come further; let it end, then start this one again.',
  },
  'auth.keys_given': {
    status: 409,
    title: 'The signing key is given by JWT_PRIVATE_KEY',
    detail:
      'Replace it there and restart, or remove it so that keys are kept in the database and can rotate.',
  },
  'credits.insufficient': {
    status: 402,
    title: 'Not enough credits',
    detail: 'The wallet holds fewer credits than `required`; `topUp` says how to get more.',
  },
  'credits.wallet_inactive': {
    status: 403,
    title: 'The wallet takes no part right now',
    detail: 'It has been frozen or closed; ask the operator.',
  },
  'credits.wallet_not_frozen': {
    status: 409,
    title: 'The wallet is not frozen',
    detail: 'It takes part already, or has been closed.',
  },
  'users.email_unverified': {
    status: 403,
    title: 'Confirm your e-mail address first',
    detail: 'Open the link in the mail that was sent to it, or ask for a new one.',
  },
  'teams.role_required': {
    status: 403,
    title: 'Your role in the team does not permit this',
    detail: 'Ask an owner or admin of the team.',
  },
  'teams.last_owner': {
    status: 409,
    title: 'A team needs an owner',
    detail: 'Make somebody else an owner first.',
  },
  'teams.already_member': {
    status: 409,
    title: 'This person is in the team already',
    detail: 'Change what they are, or may spend, instead.',
  },
  'credits.in_debt': {
    status: 409,
    title: 'The wallet owes credits',
    detail: 'Who owes cannot give away; the next credits to come in repay the debt.',
  },
  'credits.expires_in_past': {
    status: 422,
    title: 'The credits would have expired already',
    detail: 'Choose an `expiresAt` that lies ahead.',
  },
  'credits.too_many': {
    status: 422,
    title: 'The wallet cannot count that many credits',
    detail: 'All that ever came in, and all that is owed, must stay below 2^53 each.',
  },
  'credits.refund_exceeds': {
    status: 409,
    title: 'That much cannot be given back',
    detail: 'Never more than was spent; `refundable` says how much is left.',
  },
  'credits.clawback_exceeds': {
    status: 409,
    title: 'That much cannot be taken back',
    detail: 'Never more than came in; `recoverable` says how much is left.',
  },
  'credits.code_invalid': {
    status: 404,
    title: 'This code cannot be redeemed',
    detail: 'It is unknown, expired, used up or withdrawn; check the spelling.',
  },
  'credits.code_redeemed': {
    status: 409,
    title: 'You have redeemed this code',
    detail: 'Its credits are in your wallet; it may not be used again.',
  },
  'credits.code_taken': {
    status: 409,
    title: 'This code exists already',
    detail: 'Choose another text, or leave it out to get one that nobody can guess.',
  },
  'mandate.required': {
    status: 403,
    title: 'The person has not let this app spend',
    detail: 'There is no mandate, or it is paused, expired or revoked; `raiseUrl` leads the person to it.',
  },
  'mandate.exceeded': {
    status: 402,
    title: 'More than the person has allowed',
    detail: 'At `raiseUrl` they can allow more; then send the same request again, with the same key.',
  },
  'mandate.exists': {
    status: 409,
    title: 'This app has a mandate already',
    detail: 'Change the one that `mandateId` names, or revoke it first.',
  },
  'mandate.revoked': {
    status: 409,
    title: 'The mandate has been revoked',
    detail: 'That is for good; give the app a new one.',
  },
  'hold.closed': {
    status: 409,
    title: 'The hold has ended',
    detail: 'It was captured, voided or has expired, as `holdStatus` says; place a new one.',
  },
  'hold.exceeded': {
    status: 409,
    title: 'The hold is smaller than that',
    detail: 'Capture at most `remaining`, extend the hold first, or allow it to be overrun.',
  },
  'hold.too_long': {
    status: 409,
    title: 'The hold cannot live that long',
    detail:
      'However often it is extended, it ends by `expiresAtMax`; capture what is due, and place a new one.',
  },
  'hold.too_many': {
    status: 409,
    title: 'The wallet has enough open holds',
    detail: 'Capture or void some of them, or wait until they expire; `holdsMax` is how many may be open.',
  },
  'webhooks.too_many_endpoints': {
    status: 409,
    title: 'The application has enough endpoints',
    detail: 'Delete one, or let one endpoint hear of more types of events.',
  },
  'webhooks.too_many_pending': {
    status: 409,
    title: 'Too much waits for the endpoint already',
    detail: 'See why it does not answer; what waits is sent once it does.',
  },
  'webhooks.endpoint_disabled': {
    status: 409,
    title: 'The endpoint is switched off',
    detail: 'Switch it on first: `PATCH` it with `isEnabled: true`.',
  },
  'payments.provider_not_set_up': {
    status: 409,
    title: 'This payment provider is not set up',
    detail: 'Choose another `provider`, or ask the operator to set one up.',
  },
  'payments.package_unavailable': {
    status: 404,
    title: 'This package is not for sale',
    detail: '`GET /api/v1/credits/packages` lists what is.',
  },
  'payments.package_exists': {
    status: 409,
    title: 'There is a package with this id',
    detail: 'Change that one, or choose another id.',
  },
  'payments.currency_unavailable': {
    status: 422,
    title: 'It is not sold in this currency',
    detail: 'The list of packages says in which currencies each is sold.',
  },
  'payments.limit_reached': {
    status: 409,
    title: 'You have bought as much of this as one may',
    detail:
      '`perUserMax` says how often one may buy it, `perUserDays` within how many days; pending purchases count.',
  },
  'payments.signature_invalid': {
    status: 400,
    title: 'The signature does not fit the delivery',
    detail: 'Deliveries are signed by the provider over the very bytes of the body.',
  },
  'payments.delivery_too_old': {
    status: 400,
    title: 'The delivery was signed too long ago',
    detail: 'Deliveries count within five minutes of their signature. The provider signs each attempt anew.',
  },
  'payments.wrong_mode': {
    status: 400,
    title: 'The delivery belongs to the other mode',
    detail: 'Test events do not count where real money moves, nor the other way round.',
  },
  'payments.provider_unavailable': {
    status: 503,
    title: 'The payment provider does not answer',
    detail: 'Try again later; nothing is charged twice.',
  },
  'payments.provider_refused': {
    status: 502,
    title: 'The payment provider refused',
    detail: 'Choose another way to pay, or tell the operator.',
  },
  'payments.not_refundable': {
    status: 409,
    title: 'Nothing was paid for this purchase',
    detail: 'Only what has been paid can be refunded.',
  },
  'payments.refund_open': {
    status: 409,
    title: 'A refund of this purchase is asked for already',
    detail: 'It waits for a decision; `refundId` names it.',
  },
  'payments.refund_exceeds': {
    status: 409,
    title: 'So much cannot be refunded',
    detail:
      'At most `refundableCents` can: what was paid for credits that are unspent, and has not gone back. PayPal sends ' +
      'whole forints and Taiwan dollars only.',
  },
  'payments.refund_decided': {
    status: 409,
    title: 'This refund has been decided',
    detail: 'Somebody approved or denied it before.',
  },
  'payments.no_saved_card': {
    status: 409,
    title: 'There is no saved card',
    detail: 'Buy a package with `saveCard` first; its card is kept for automatic top-ups.',
  },
  'payments.cap_too_low': {
    status: 422,
    title: 'The monthly cap is below the price of the package',
    detail: '`priceCents` says what one top-up costs.',
  },
  'payments.threshold_too_high': {
    status: 422,
    title: 'One package does not reach the threshold',
    detail: '`thresholdMax` is what one package brings; a larger threshold would charge over and over.',
  },
  'payments.no_customer': {
    status: 409,
    title: 'You have not paid with this provider yet',
    detail: 'Its pages for cards and bills are there after the first purchase.',
  },
  'payments.not_supported': {
    status: 409,
    title: 'The payment provider cannot do this',
    detail: 'Choose another payment provider.',
  },
  'payments.plan_taken': {
    status: 409,
    title: 'There is a plan of this name already',
    detail: 'Choose another `id`, or change that plan.',
  },
  'payments.plan_not_comparable': {
    status: 409,
    title: 'The plan is billed differently',
    detail:
      'A change keeps interval and currency; cancel the subscription and begin another one when it has ended.',
  },
  'payments.subscribed_already': {
    status: 409,
    title: 'You have a subscription already',
    detail: 'Change its plan instead, or begin another one when it has ended.',
  },
  'payments.no_subscription': {
    status: 404,
    title: 'You have no subscription',
    detail: 'Begin one with `POST /api/v1/payments/subscription`.',
  },
  'payments.subscription_state': {
    status: 409,
    title: 'The subscription is not in a state for this',
    detail:
      'See its `status` and `cancelsAtPeriodEnd`. A change of plan that is on its way has to be billed first.',
  },
  'idempotency.mismatch': {
    status: 422,
    title: 'The idempotency key belongs to another request',
    detail: 'This key has been used with another body; use a new key for a new request.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorEntry = { status: number; title: string; detail: string };
export type ErrorCode = keyof typeof errorTable;

/**
 * One wrong field: `path` is a JSON pointer into the request (`/body/email`), `message` says what was
 * expected.
 */
export type FieldError = { path: string; message: string };

export type AppErrorOptions = {
  /** Replaces the table's public detail; never put private facts here. */
  detail?: string;
  /** Field errors, for `request.invalid`. */
  errors?: FieldError[];
  /** Further public members of the problem document (`required`, `available`, `topUp` …). */
  extensions?: Record<string, unknown>;
  /** Response headers such as `retry-after`. */
  headers?: Record<string, string>;
  /** Private: goes to the log only. */
  cause?: unknown;
};

/** A refusal with a code from the table. The HTTP layer turns it into a problem document. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly options: AppErrorOptions;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    super(code, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.options = options;
  }

  get status(): number {
    return errorTable[this.code].status;
  }
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}
