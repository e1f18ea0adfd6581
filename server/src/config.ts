import {
  readIdentityProviders,
  readTrustedIssuers,
  type IdentityProvider,
  type TrustedIssuer,
} from './identity-providers.ts';
import { parseSetting, type Setting } from './lib/settings.ts';
import { findPaypalProblems } from './paypal-settings.ts';

/**
 * Every setting of the service: one table, from which `.env.example` and `docs/reference/configuration.md`
 * are generated. `secret` values are never logged; `requiredInProduction` ones have no default when
 * NODE_ENV=production.
 */
export const settings = {
  nodeEnv: {
    env: 'NODE_ENV',
    type: 'choice',
    choices: ['development', 'test', 'production'],
    default: 'development',
    group: 'Service',
    description:
      '`production` switches off every development convenience (mailbox page, generated secrets, embedded database).',
  },
  port: {
    env: 'PORT',
    type: 'integer',
    default: '3001',
    group: 'Service',
    description: 'TCP port to listen on.',
  },
  host: {
    env: 'HOST',
    type: 'text',
    default: '127.0.0.1',
    group: 'Service',
    description: 'Address to listen on; `0.0.0.0` for all.',
  },
  baseUrl: {
    env: 'BASE_URL',
    type: 'url',
    default: 'http://localhost:$PORT',
    group: 'Service',
    description: 'Public origin of this service, without a path; the issuer of its tokens.',
  },
  dataDir: {
    env: 'DATA_DIR',
    type: 'text',
    default: './data',
    group: 'Service',
    description: 'Where the embedded database and generated secrets live.',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    type: 'choice',
    choices: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    default: 'info',
    group: 'Service',
    description: 'The least important messages that are logged.',
  },
  logFormat: {
    env: 'LOG_FORMAT',
    type: 'choice',
    choices: ['json', 'pretty'],
    default: '',
    group: 'Service',
    description: 'How messages are logged; empty is `json` in production, else `pretty`.',
  },
  trustProxy: {
    env: 'TRUST_PROXY',
    type: 'networks',
    default: '',
    group: 'Service',
    description:
      'Addresses or CIDR ranges of proxies whose X-Forwarded-For counts (also `loopback`, `linklocal`, `uniquelocal`); empty trusts none.',
  },
  bodyLimitBytes: {
    env: 'BODY_LIMIT_BYTES',
    type: 'integer',
    default: '262144',
    group: 'Service',
    description: 'Largest accepted request body, in bytes.',
  },
  requestTimeoutSeconds: {
    env: 'REQUEST_TIMEOUT',
    type: 'duration',
    default: '30s',
    group: 'Service',
    description: 'Longest time a request may take to arrive in full; slower clients are answered 408.',
  },
  shutdownTimeoutSeconds: {
    env: 'SHUTDOWN_TIMEOUT',
    type: 'duration',
    default: '20s',
    group: 'Service',
    description: 'Longest time that requests in flight are waited for when the service stops.',
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    type: 'text',
    default: '',
    secret: true,
    requiredInProduction: true,
    group: 'Database',
    description: 'PostgreSQL ≥ 15 to use; empty starts the embedded PostgreSQL in DATA_DIR.',
  },
  databaseOwnerUrl: {
    env: 'DATABASE_OWNER_URL',
    type: 'text',
    default: '',
    secret: true,
    group: 'Database',
    description:
      'Connection of the role that owns the schema and migrates, when it differs from DATABASE_URL.',
  },
  databasePoolMax: {
    env: 'DATABASE_POOL_MAX',
    type: 'integer',
    default: '16',
    group: 'Database',
    description: 'Most connections one service process opens.',
  },
  redisUrl: {
    env: 'REDIS_URL',
    type: 'text',
    default: '',
    secret: true,
    group: 'Redis',
    description: 'Redis for rate limits shared between processes; empty counts in memory.',
  },
  redisHost: {
    env: 'REDIS_HOST',
    type: 'text',
    default: '',
    group: 'Redis',
    description: 'Host of the Redis server, instead of REDIS_URL.',
  },
  redisPort: {
    env: 'REDIS_PORT',
    type: 'integer',
    default: '6379',
    group: 'Redis',
    description: 'Port of the Redis server.',
  },
  redisPassword: {
    env: 'REDIS_PASSWORD',
    type: 'text',
    default: '',
    secret: true,
    group: 'Redis',
    description: 'Password of the Redis server.',
  },
  secret: {
    env: 'OBOL_SECRET',
    type: 'text',
    default: '',
    secret: true,
    requiredInProduction: true,
    group: 'Keys',
    description:
      'Master secret, at least 32 characters: encrypts signing keys and second factors at rest. Made on first start in development.',
  },
  jwtPrivateKey: {
    env: 'JWT_PRIVATE_KEY',
    type: 'text',
    default: '',
    secret: true,
    group: 'Keys',
    description: 'PEM (PKCS #8) RSA key to sign with, instead of generated ones.',
  },
  jwtPublicKey: {
    env: 'JWT_PUBLIC_KEY',
    type: 'text',
    default: '',
    group: 'Keys',
    description: 'PEM (SPKI) public half of JWT_PRIVATE_KEY.',
  },
  jwtIssuer: {
    env: 'JWT_ISSUER',
    type: 'text',
    default: '$BASE_URL',
    group: 'Keys',
    description: '`iss` of the tokens.',
  },
  jwtAudience: {
    env: 'JWT_AUDIENCE',
    type: 'text',
    default: '$BASE_URL',
    group: 'Keys',
    description: '`aud` of the access tokens of this service.',
  },
  accessTokenTtlSeconds: {
    env: 'JWT_ACCESS_TOKEN_EXPIRY',
    type: 'duration',
    default: '15m',
    group: 'Sessions',
    description: 'Lifetime of an access token (`15m`, `900`).',
  },
  refreshTokenTtlSeconds: {
    env: 'JWT_REFRESH_TOKEN_EXPIRY',
    type: 'duration',
    default: '7d',
    group: 'Sessions',
    description: 'Absolute lifetime of a sign-in: refresh tokens do not outlive it.',
  },
  refreshReuseWindowSeconds: {
    env: 'REFRESH_REUSE_WINDOW_SECONDS',
    type: 'integer',
    default: '10',
    group: 'Sessions',
    description:
      'How long after a refresh a second use of the old token is taken for a lost race instead of theft; 0 is strict.',
  },
  stepUpSeconds: {
    env: 'STEP_UP_SECONDS',
    type: 'integer',
    default: '1800',
    group: 'Sessions',
    description:
      'How long after showing who they are people may change passwords, addresses, factors and keys without showing it anew.',
  },
  rememberedDeviceSeconds: {
    env: 'REMEMBERED_DEVICE_EXPIRY',
    type: 'duration',
    default: '30d',
    group: 'Sessions',
    description: 'How long a device that its owner lets us remember is not asked for the second factor.',
  },
  passkeyDomain: {
    env: 'PASSKEY_DOMAIN',
    type: 'text',
    default: '',
    group: 'Sessions',
    description:
      'Domain that passkeys belong to (the RP ID), the host of BASE_URL or a parent of it; empty is the host of BASE_URL. ' +
      'Pages of CORS_ORIGINS within it may use them, too. Changing it makes all passkeys unusable.',
  },
  cookieDomain: {
    env: 'COOKIE_DOMAIN',
    type: 'domain',
    default: '',
    group: 'Sessions',
    description:
      'Parent domain of BASE_URL that shares the sign-in cookie with sibling subdomains; empty keeps it on this host (`__Host-`).',
  },
  corsOrigins: {
    env: 'CORS_ORIGINS',
    type: 'origins',
    default: '',
    group: 'Front ends',
    description: 'Origins of front ends that may call this service from a browser, comma separated.',
  },
  frontendUrl: {
    env: 'FRONTEND_URL',
    type: 'url',
    default: '',
    group: 'Front ends',
    description: 'Your front end; its origin is allowed by CORS too.',
  },
  appUrl: {
    env: 'APP_URL',
    type: 'url',
    default: '$BASE_URL',
    group: 'Front ends',
    description:
      'Where links in mails lead, and where payment providers send people back to (`/credits` there).',
  },
  auth0Domain: {
    env: 'AUTH0_DOMAIN',
    type: 'text',
    default: '',
    group: 'Identity providers',
    description: 'Domain of an Auth0 tenant, such as `family.eu.auth0.com`, at which people sign in.',
  },
  auth0ClientId: {
    env: 'AUTH0_CLIENT_ID',
    type: 'text',
    default: '',
    group: 'Identity providers',
    description: 'Client id at Auth0; empty takes only its bearer tokens.',
  },
  auth0ClientSecret: {
    env: 'AUTH0_CLIENT_SECRET',
    type: 'text',
    default: '',
    secret: true,
    group: 'Identity providers',
    description: 'Client secret at Auth0.',
  },
  auth0Audience: {
    env: 'AUTH0_AUDIENCE',
    type: 'text',
    default: '',
    group: 'Identity providers',
    description: 'API identifier at Auth0: access tokens for it count as bearer tokens of this service.',
  },
  auth0Label: {
    env: 'AUTH0_LABEL',
    type: 'text',
    default: 'Auth0',
    group: 'Identity providers',
    description: 'What the button for Auth0 says after "Continue with".',
  },
  trustedIssuerList: {
    env: 'TRUSTED_ISSUERS',
    type: 'text',
    default: '',
    group: 'Identity providers',
    description:
      'Other issuers whose access tokens count on this API, comma separated: `issuer|audience`, or `issuer` alone for ' +
      'tokens whose audience is JWT_AUDIENCE.',
  },
  trustedIssuersMfa: {
    env: 'TRUSTED_ISSUERS_MFA',
    type: 'boolean',
    default: 'false',
    group: 'Identity providers',
    description:
      'Whether access tokens of other issuers also count for people who have a second factor here when the token does ' +
      'not say that one was shown (`mfa` in `amr`): then whoever signs in there passes the second factor by.',
  },
  socialDefault: {
    env: 'SOCIAL_DEFAULT',
    type: 'text',
    default: '',
    group: 'Identity providers',
    description: 'Name of the provider that `/api/login` leads to; empty is Auth0, else the first one.',
  },
  callbackTokens: {
    env: 'CALLBACK_TOKENS',
    type: 'choice',
    choices: ['code', 'query'],
    default: 'code',
    group: 'Identity providers',
    description:
      'How `/api/callback` hands a sign-in to a front end: a one-time code, or the tokens themselves in the address, ' +
      'which leaves them in logs and histories.',
  },
  rateLimitEnabled: {
    env: 'RATE_LIMIT_ENABLED',
    type: 'boolean',
    default: 'true',
    group: 'Limits',
    description: 'Rate limits on or off.',
  },
  rateLimitTtlSeconds: {
    env: 'RATE_LIMIT_TTL',
    type: 'integer',
    default: '60',
    group: 'Limits',
    description: 'Window of the general limit, in seconds.',
  },
  rateLimitMax: {
    env: 'RATE_LIMIT_MAX',
    type: 'integer',
    default: '100',
    group: 'Limits',
    description: 'Requests per window and address in general.',
  },
  registrationChallenge: {
    env: 'REGISTRATION_CHALLENGE',
    type: 'choice',
    choices: ['off', 'pow'],
    default: 'off',
    group: 'Limits',
    description:
      '`pow` makes a registration cost a proof of work, so that accounts are not made in bulk; browsers do it by themselves.',
  },
  registrationChallengeBits: {
    env: 'REGISTRATION_CHALLENGE_BITS',
    type: 'integer',
    default: '18',
    group: 'Limits',
    description:
      'Difficulty of that proof, 1 to 30: each more doubles the work. 18 takes a browser about a second.',
  },
  passwordBreachApi: {
    env: 'PASSWORD_BREACH_API',
    type: 'url',
    default: '',
    group: 'Limits',
    description:
      'Range API of breached passwords, such as `https://api.pwnedpasswords.com/range`: is sent five characters of a digest ' +
      'of each new password, never more. Empty asks nobody; the list of common passwords counts all the same.',
  },
  signInFailuresMax: {
    env: 'SIGN_IN_FAILURES_MAX',
    type: 'integer',
    default: '1000',
    group: 'Limits',
    description:
      'Sign-ins that may fail within a minute, of all people together; beyond that only devices and addresses are let in ' +
      'that an account knows.',
  },
  signInMails: {
    env: 'SIGN_IN_MAILS',
    type: 'boolean',
    default: 'true',
    group: 'Mail',
    description:
      'Whether people are told by mail of sign-ins from devices or places that are new to their account, and of attacks on it.',
  },
  passwordHashConcurrencyMax: {
    env: 'PASSWORD_HASH_CONCURRENCY',
    type: 'integer',
    default: '0',
    group: 'Limits',
    description: 'Password hashes computed at once; 0 means one per core.',
  },
  creditsScale: {
    env: 'CREDITS_SCALE',
    type: 'scale',
    default: '0',
    group: 'Credits',
    description:
      'Decimal places of a credit, 0 to 6: every amount of the API counts units of 10^-CREDITS_SCALE credits, while the ' +
      'settings below are in credits. Choose it before the first start, which notes it: what wallets hold is not ' +
      'converted, and no process works with another. `obol ledger scale` shows the note.',
  },
  creditsSignupBonus: {
    env: 'CREDITS_SIGNUP_BONUS',
    type: 'credits',
    default: '150',
    group: 'Credits',
    description: 'Free credits a new wallet starts with.',
  },
  signupBonusPerAddressMax: {
    env: 'SIGNUP_BONUS_PER_ADDRESS',
    type: 'integer',
    default: '20',
    group: 'Credits',
    description:
      'Signup bonuses that one address (of IPv6 a /64) gets within 24 hours at once; further ones wait until the e-mail ' +
      'address is confirmed. 0: every bonus waits.',
  },
  creditsDailyFree: {
    env: 'CREDITS_DAILY_FREE',
    type: 'credits',
    default: '5',
    group: 'Credits',
    description: 'Free credits granted every 24 hours.',
  },
  creditsDailyCap: {
    env: 'CREDITS_DAILY_CAP',
    type: 'credits',
    default: '150',
    group: 'Credits',
    description: 'Most unspent daily credits a wallet keeps.',
  },
  creditsHoldsMax: {
    env: 'CREDITS_HOLDS_MAX',
    type: 'integer',
    default: '500',
    group: 'Credits',
    description: 'Most holds that a wallet may have open at once.',
  },
  creditsPerEur: {
    env: 'CREDITS_PER_EUR',
    type: 'credits',
    default: '100',
    group: 'Credits',
    description: 'Credits that one euro buys.',
  },
  creditsDebtMax: {
    env: 'CREDITS_DEBT_MAX',
    type: 'credits',
    default: '1000',
    group: 'Credits',
    description:
      'Most credits that a wallet may owe by captures above a hold, whatever its mandates allow. What is taken back by ' +
      'an administrator may be owed beyond it.',
  },
  creditsTransferBonus: {
    env: 'CREDITS_TRANSFER_BONUS',
    type: 'boolean',
    default: 'false',
    group: 'Credits',
    description:
      'Whether the signup bonus and daily credits may be transferred into team wallets, where no cap counts; otherwise ' +
      'only what was bought or given may.',
  },
  applicationCreation: {
    env: 'APPLICATION_CREATION',
    type: 'choice',
    choices: ['everyone', 'admins'],
    default: 'everyone',
    group: 'Applications',
    description:
      'Who may register applications: everyone with an account, or administrators of this service.',
  },
  applicationsPerUserMax: {
    env: 'APPLICATIONS_PER_USER_MAX',
    type: 'integer',
    default: '50',
    group: 'Applications',
    description: 'Most applications that one person has registered at a time; administrators have no limit.',
  },
  oauthRegistration: {
    env: 'OAUTH_REGISTRATION',
    type: 'choice',
    choices: ['off', 'open'],
    default: 'off',
    group: 'Applications',
    description:
      'Whether applications may register themselves at `/oauth/register` (RFC 7591). They are marked as not verified.',
  },
  oauthClientDocuments: {
    env: 'OAUTH_CLIENT_DOCUMENTS',
    type: 'boolean',
    default: 'false',
    group: 'Applications',
    description:
      'Whether an application may name itself by the https address of a document that describes it, as MCP clients do.',
  },
  webhookTimeoutSeconds: {
    env: 'WEBHOOK_TIMEOUT',
    type: 'duration',
    default: '15s',
    group: 'Webhooks',
    description: 'Longest time that an endpoint may take to answer an event.',
  },
  webhookAllowLoopback: {
    env: 'WEBHOOK_ALLOW_LOOPBACK',
    type: 'boolean',
    default: 'false',
    group: 'Webhooks',
    description:
      'In development: endpoints may be on this machine, also without TLS (http://localhost:4000). Without effect in production.',
  },
  securityEventsRetentionSeconds: {
    env: 'SECURITY_EVENTS_RETENTION',
    type: 'duration',
    default: '365d',
    group: 'Retention',
    description: "How long a person's security trail and failed sign-ins are kept.",
  },
  sessionsRetentionSeconds: {
    env: 'SESSIONS_RETENTION',
    type: 'duration',
    default: '90d',
    group: 'Retention',
    description:
      'How long sessions and links from mails are kept after they have expired. Addresses that a person signed in from ' +
      'are known for as long, 90 days at most.',
  },
  accessRequestsRetentionSeconds: {
    env: 'ACCESS_REQUESTS_RETENTION',
    type: 'duration',
    default: '365d',
    group: 'Retention',
    description: 'How long decided and withdrawn access requests are kept.',
  },
  webhookLogRetentionSeconds: {
    env: 'WEBHOOK_LOG_RETENTION',
    type: 'duration',
    default: '30d',
    group: 'Retention',
    description: 'How long deliveries of webhooks that have ended are kept, with their events and attempts.',
  },
  importNotesRetentionSeconds: {
    env: 'IMPORT_NOTES_RETENTION',
    type: 'duration',
    default: '90d',
    group: 'Retention',
    description: 'How long it is known what was left out of imports that have ended.',
  },
  refundsAutomaticSeconds: {
    env: 'REFUNDS_AUTOMATIC_WITHIN',
    type: 'duration',
    default: '0s',
    group: 'Payments',
    description:
      'How long after a payment a refund that its buyer asks for is approved by itself, if nothing of it was spent; 0s ' +
      'leaves every refund to administrators.',
  },
  paymentsTestMode: {
    env: 'PAYMENTS_TEST_MODE',
    type: 'boolean',
    default: 'false',
    group: 'Payments',
    description:
      'Whether a service in production may take payments in test mode (a test key at Stripe, the sandbox of PayPal), in ' +
      'which people get credits for money that nobody pays. Without it, it does not start with those.',
  },
  stripeSecretKey: {
    env: 'STRIPE_SECRET_KEY',
    type: 'text',
    default: '',
    secret: true,
    group: 'Payments',
    description:
      'Secret (`sk_…`) or restricted (`rk_…`) key at Stripe; empty does without Stripe. Its mode, test or live, is the only ' +
      'one whose events count.',
  },
  stripeWebhookSecrets: {
    env: 'STRIPE_WEBHOOK_SECRET',
    type: 'text',
    default: '',
    secret: true,
    group: 'Payments',
    description:
      'Signing secret (`whsec_…`) of the webhook endpoint at Stripe. While it is being rotated: the old and the new one, ' +
      'comma separated.',
  },
  stripeApiBase: {
    env: 'STRIPE_API_BASE',
    type: 'url',
    default: 'https://api.stripe.com',
    group: 'Payments',
    description:
      "Where Stripe's API is; development points it at a stand-in. In production it must be https.",
  },
  stripeTax: {
    env: 'STRIPE_TAX',
    type: 'boolean',
    default: 'false',
    group: 'Payments',
    description: 'Whether Stripe Tax computes the tax of what is sold.',
  },
  stripeInvoices: {
    env: 'STRIPE_INVOICES',
    type: 'boolean',
    default: 'false',
    group: 'Payments',
    description: 'Whether Stripe writes an invoice for every pack that is sold; for plans it always does.',
  },
  stripeFraudWarnings: {
    env: 'STRIPE_FRAUD_WARNINGS',
    type: 'choice',
    choices: ['record', 'freeze', 'refund'],
    default: 'record',
    group: 'Payments',
    description:
      'What follows when a bank warns early of a stolen card: it is only shown to administrators, the wallet is frozen as ' +
      'well, or the payment is refunded before it is disputed.',
  },
  paypalClientId: {
    env: 'PAYPAL_CLIENT_ID',
    type: 'text',
    default: '',
    group: 'Payments',
    description: 'Client id of the REST app at PayPal; empty does without PayPal.',
  },
  paypalClientSecret: {
    env: 'PAYPAL_CLIENT_SECRET',
    type: 'text',
    default: '',
    secret: true,
    group: 'Payments',
    description: 'Secret of the REST app at PayPal.',
  },
  paypalWebhookId: {
    env: 'PAYPAL_WEBHOOK_ID',
    type: 'text',
    default: '',
    group: 'Payments',
    description:
      'Id of the webhook at PayPal that leads to this service: deliveries are signed for it, and for no other.',
  },
  paypalMerchantId: {
    env: 'PAYPAL_MERCHANT_ID',
    type: 'text',
    default: '',
    group: 'Payments',
    description:
      'Merchant id of the account at PayPal that is paid: what pays anybody else counts for nothing. Empty learns it from ' +
      'the first order that the service opens, which is the account of the REST app.',
  },
  paypalApiBase: {
    env: 'PAYPAL_API_BASE',
    type: 'url',
    default: 'https://api-m.paypal.com',
    group: 'Payments',
    description:
      "Where PayPal's API is: `https://api-m.paypal.com`, or `https://api-m.sandbox.paypal.com` for tests. Its mode is the " +
      'only one whose events count. Development may point it at a stand-in, production may not.',
  },
  paypalWebhookToleranceSeconds: {
    env: 'PAYPAL_WEBHOOK_TOLERANCE',
    type: 'duration',
    default: '5m',
    group: 'Payments',
    description:
      'How far the time at which PayPal sent a delivery may be from our clock; at most 3d, for as long as PayPal tries again.',
  },
  paypalCertificateOrigin: {
    env: 'PAYPAL_CERTIFICATE_ORIGIN',
    type: 'url',
    default: '',
    group: 'Payments',
    description:
      'In development: where a stand-in for PayPal keeps the certificates that it signs deliveries with, such as ' +
      "`http://localhost:4010`. It counts instead of PayPal's own hosts, so it is refused in production.",
  },
  paypalCertificateAuthority: {
    env: 'PAYPAL_CERTIFICATE_AUTHORITY',
    type: 'text',
    default: '',
    group: 'Payments',
    description:
      'In development: certificate (PEM; line breaks may be written as `\\n`) of the authority that issued those of the ' +
      'stand-in. It counts instead of public authorities, so it is refused in production.',
  },
  standInPort: {
    env: 'STAND_IN_PORT',
    type: 'integer',
    default: '0',
    group: 'Payments',
    description:
      'Port of the stand-in for payment providers, which development uses while neither Stripe nor PayPal is set up; 0 takes ' +
      'the port after PORT. In production there is none.',
  },
  smtpHost: {
    env: 'SMTP_HOST',
    type: 'text',
    default: '',
    group: 'Mail',
    description: 'SMTP server; empty keeps mails in the mailbox at /dev/mail (development only).',
  },
  smtpPort: {
    env: 'SMTP_PORT',
    type: 'integer',
    default: '587',
    group: 'Mail',
    description: 'Port of the SMTP server; 465 is TLS from the start, others use STARTTLS when offered.',
  },
  smtpUser: {
    env: 'SMTP_USER',
    type: 'text',
    default: '',
    group: 'Mail',
    description: 'User name at the SMTP server.',
  },
  smtpPass: {
    env: 'SMTP_PASS',
    type: 'text',
    default: '',
    secret: true,
    group: 'Mail',
    description: 'Password at the SMTP server.',
  },
  mailFrom: {
    env: 'MAIL_FROM',
    type: 'text',
    default: 'Obol <no-reply@localhost>',
    group: 'Mail',
    description: 'Sender of the mails.',
  },
} as const satisfies Record<string, Setting>;

type ValueOf<S extends Setting> = S['type'] extends 'integer' | 'duration' | 'scale' | 'credits'
  ? number
  : S['type'] extends 'boolean'
    ? boolean
    : S['type'] extends 'origins' | 'networks'
      ? readonly string[]
      : string;

/**
 * The frozen, validated configuration. Units stand in the names; settings in credits come as units of
 * 10^-creditsScale credits, which is what wallets count.
 */
export type Config = { readonly [K in keyof typeof settings]: ValueOf<(typeof settings)[K]> } & {
  readonly isProduction: boolean;
  /** Where people sign in besides here; see identity-providers.ts. */
  readonly identityProviders: readonly IdentityProvider[];
  /** Issuers whose access tokens count here. */
  readonly trustedIssuers: readonly TrustedIssuer[];
};

/** Thrown with every problem found, so that an operator fixes them in one go. */
export class ConfigError extends Error {
  readonly problems: string[];
  constructor(problems: string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Reads the configuration from environment variables. `$NAME` in a default stands for another setting's
 * value. Throws ConfigError naming each variable that is missing or wrong.
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const problems: string[] = [];
  const isProduction = env.NODE_ENV?.trim() === 'production';
  const texts: Record<string, string> = {};
  const scale = scaleOf(env);
  const values: Record<string, unknown> = { isProduction };
  for (const [name, setting] of Object.entries(settings) as [string, Setting][]) {
    const given = env[setting.env]?.trim();
    const text = given !== undefined && given !== '' ? given : expand(setting.default, texts);
    texts[setting.env] = text;
    if (text === '' && isProduction && setting.requiredInProduction) {
      problems.push(`${setting.env} is missing. ${setting.description}`);
    }
    const parsed = parseSetting(setting, text, scale);
    if ('problem' in parsed) problems.push(`${setting.env}: ${parsed.problem}`);
    else values[name] = parsed.value;
  }
  if (texts.OBOL_SECRET && texts.OBOL_SECRET.length < 32)
    problems.push('OBOL_SECRET: needs at least 32 characters.');
  problems.push(...cookieDomainProblems(values));
  const { registrationChallengeBits: bits } = values;
  if (typeof bits === 'number' && (bits < 1 || bits > 30))
    problems.push('REGISTRATION_CHALLENGE_BITS: expected 1 to 30.');
  problems.push(...findStripeProblems(values));
  problems.push(...findPaypalProblems(values));
  const providers = readIdentityProviders(env, problems);
  const trusting = { providers, ownAudience: texts.JWT_AUDIENCE ?? '' };
  values.identityProviders = providers;
  values.trustedIssuers = readTrustedIssuers(env, trusting, problems);
  const named = texts.SOCIAL_DEFAULT ?? '';
  if (named !== '' && !providers.some(({ name }) => name === named))
    problems.push(`SOCIAL_DEFAULT: no provider is called "${named}".`);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values) as Config;
}

/** A browser keeps a cookie only for a domain that the host it comes from is part of. @see RFC 6265 §5.3 */
function cookieDomainProblems({ cookieDomain, baseUrl }: Record<string, unknown>): string[] {
  if (!cookieDomain || typeof cookieDomain !== 'string' || typeof baseUrl !== 'string') return [];
  const host = new URL(baseUrl).hostname;
  if (host === cookieDomain || host.endsWith(`.${cookieDomain}`)) return [];
  return [
    `COOKIE_DOMAIN: ${host}, the host of BASE_URL, is not in ${cookieDomain}, so browsers would refuse the cookie. ` +
      'Set BASE_URL to the address that people use, or COOKIE_DOMAIN to a parent domain of it.',
  ];
}

/** What is wrong with the settings of Stripe together. */
function findStripeProblems(values: Record<string, unknown>): string[] {
  const { stripeSecretKey: key, stripeWebhookSecrets: secrets, stripeApiBase: base, isProduction } = values;
  if (typeof key !== 'string' || key === '') return [];
  const problems: string[] = [];
  if (!/^(sk|rk)_(test|live)_\w+$/.test(key))
    problems.push('STRIPE_SECRET_KEY: expected a key such as sk_test_… or rk_live_….');
  if (isProduction === true && key.slice(2).startsWith('_test_') && values.paymentsTestMode !== true)
    problems.push(
      'STRIPE_SECRET_KEY: this is a test key, with which nobody pays real money. Set a live one, or PAYMENTS_TEST_MODE=true.',
    );
  if (typeof secrets === 'string' && !/^whsec_\S+(\s*,\s*whsec_\S+)*$/.test(secrets))
    problems.push('STRIPE_WEBHOOK_SECRET: expected whsec_…, or several, comma separated.');
  if (isProduction === true && typeof base === 'string' && !base.startsWith('https:'))
    problems.push('STRIPE_API_BASE: expected an https address in production.');
  return problems;
}

/** How many decimal places a credit has; 0 when the setting is wrong, which is reported where it is read. */
function scaleOf(env: Record<string, string | undefined>): number {
  const parsed = parseSetting(
    settings.creditsScale,
    env.CREDITS_SCALE?.trim() || settings.creditsScale.default,
  );
  return 'value' in parsed ? Number(parsed.value) : 0;
}

function expand(template: string, texts: Record<string, string>): string {
  return template.replace(/\$([A-Z_]+)/g, (_, name: string) => texts[name] ?? '');
}
