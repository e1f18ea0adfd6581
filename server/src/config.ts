import { parseSetting, type Setting } from './lib/settings.ts';

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
  cookieDomain: {
    env: 'COOKIE_DOMAIN',
    type: 'text',
    default: '',
    group: 'Sessions',
    description:
      'Parent domain that shares the sign-in cookie with sibling subdomains; empty keeps it on this host (`__Host-`).',
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
    description: 'Where links in mails lead.',
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
      'settings below are in credits. Choose it before the first wallet is opened: what wallets hold is not converted.',
  },
  creditsSignupBonus: {
    env: 'CREDITS_SIGNUP_BONUS',
    type: 'credits',
    default: '150',
    group: 'Credits',
    description: 'Free credits a new wallet starts with.',
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
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values) as Config;
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
