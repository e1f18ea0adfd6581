/** A provider at which people sign in, as the settings describe it. */
export type IdentityProvider = {
  /** Its name in addresses and settings, in lower case. */
  name: string;
  kind: 'oidc' | 'auth0' | 'apple' | 'github';
  /** The issuer as it was given; for GitHub, the address of its web site. */
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** What the button says after "Continue with". */
  label: string;
  scopes: string;
  /** The API that access tokens are asked for; empty asks for none. */
  audience: string;
  /** How the secret is sent; empty is what the provider says it takes. */
  clientAuth: '' | 'basic' | 'post';
  apple: { teamId: string; keyId: string; privateKey: string };
};

/** An issuer whose access tokens count on this API, for these audiences. */
export type TrustedIssuer = { issuer: string; audiences: readonly string[] };

export type SocialField = { description: string; default: string; secret?: boolean };

/** The settings that each provider has, as `SOCIAL_<NAME>_<FIELD>`. */
export const socialFields = {
  ISSUER: {
    description:
      'Issuer, found by discovery (OpenID Connect). Known for GOOGLE, APPLE and GITHUB; for a GitHub of your own, its address.',
    default: '',
  },
  CLIENT_ID: { description: 'Client id at the provider. Setting it switches the provider on.', default: '' },
  CLIENT_SECRET: {
    description: 'Client secret; Apple has none.',
    default: '',
    secret: true,
  },
  LABEL: { description: 'What the button says after "Continue with"; the name unless set.', default: '' },
  SCOPES: { description: 'Scopes that are asked for.', default: 'openid profile email' },
  AUDIENCE: {
    description:
      'API that access tokens are asked for. They count as bearer tokens of this service, as with TRUSTED_ISSUERS.',
    default: '',
  },
  CLIENT_AUTH: {
    description: 'How the secret is sent: `basic` or `post`; empty is what the provider says that it takes.',
    default: '',
  },
  TEAM_ID: { description: 'Apple only: team id.', default: '' },
  KEY_ID: { description: 'Apple only: id of the key that signs our client secrets.', default: '' },
  PRIVATE_KEY: {
    description: 'Apple only: that key, PEM (PKCS #8, P-256); line breaks may be written as `\\n`.',
    default: '',
    secret: true,
  },
} as const satisfies Record<string, SocialField>;

type Field = keyof typeof socialFields;
type Environment = Record<string, string | undefined>;

/** The issuers of the providers that need none in the settings; for GitHub, the address of its web site. */
export const knownIssuers = {
  google: 'https://accounts.google.com',
  apple: 'https://appleid.apple.com',
  github: 'https://github.com',
} as const;

const presets: Record<string, Partial<IdentityProvider>> = {
  google: { issuer: knownIssuers.google, label: 'Google' },
  apple: { kind: 'apple', issuer: knownIssuers.apple, label: 'Apple', scopes: 'name email' },
  github: { kind: 'github', issuer: knownIssuers.github, label: 'GitHub', scopes: 'read:user user:email' },
};

const settingName = new RegExp(`^SOCIAL_([A-Z][A-Z0-9]{0,31})_(${Object.keys(socialFields).join('|')})$`);

/**
 * The providers that the environment sets up: AUTH0_* first, then `SOCIAL_<NAME>_*` by name. What is missing
 * or wrong is added to `problems`.
 */
export function readIdentityProviders(env: Environment, problems: string[]): readonly IdentityProvider[] {
  const names = new Set<string>();
  for (const [key, value] of Object.entries(env)) {
    const [, name] = settingName.exec(key) ?? [];
    if (name !== undefined && value?.trim()) names.add(name);
  }
  const social = [...names].sort().map((name) => readSocial(env, name, problems));
  const auth0 = readAuth0(env, problems);
  const all = auth0 ? [auth0, ...social] : social;
  for (const provider of all) checkIssuer(provider.issuer, provider.name, env, problems);
  return Object.freeze(all.filter(({ name, kind }) => name !== 'auth0' || kind === 'auth0'));
}

function readSocial(env: Environment, upperName: string, problems: string[]): IdentityProvider {
  const name = upperName.toLowerCase();
  const preset = presets[name] ?? {};
  const given = (field: Field) => env[`SOCIAL_${upperName}_${field}`]?.trim() ?? '';
  const kind = preset.kind ?? 'oidc';
  const required: Field[] =
    kind === 'apple' ? ['CLIENT_ID', 'TEAM_ID', 'KEY_ID', 'PRIVATE_KEY'] : ['CLIENT_ID', 'CLIENT_SECRET'];
  for (const field of preset.issuer === undefined ? (['ISSUER', ...required] as const) : required) {
    if (given(field) === '') problems.push(`SOCIAL_${upperName}_${field} is missing.`);
  }
  const clientAuth = given('CLIENT_AUTH');
  if (clientAuth !== '' && clientAuth !== 'basic' && clientAuth !== 'post')
    problems.push(`SOCIAL_${upperName}_CLIENT_AUTH: expected basic or post, got "${clientAuth}".`);
  if (name === 'auth0') problems.push('SOCIAL_AUTH0_*: Auth0 is set up by AUTH0_DOMAIN and the like.');
  return {
    name,
    kind,
    issuer: given('ISSUER') || (preset.issuer ?? ''),
    clientId: given('CLIENT_ID'),
    clientSecret: given('CLIENT_SECRET'),
    label: given('LABEL') || (preset.label ?? name.charAt(0).toUpperCase() + name.slice(1)),
    scopes: given('SCOPES') || (preset.scopes ?? socialFields.SCOPES.default),
    audience: given('AUDIENCE'),
    clientAuth: clientAuth === 'post' || clientAuth === 'basic' ? clientAuth : '',
    apple: {
      teamId: given('TEAM_ID'),
      keyId: given('KEY_ID'),
      privateKey: given('PRIVATE_KEY').replaceAll('\\n', '\n'),
    },
  };
}

function readAuth0(env: Environment, problems: string[]): IdentityProvider | undefined {
  const domain = env['AUTH0_DOMAIN']?.trim() ?? '';
  const clientId = env['AUTH0_CLIENT_ID']?.trim() ?? '';
  if (domain === '' && clientId === '') return undefined;
  if (domain === '') problems.push('AUTH0_DOMAIN is missing.');
  if (clientId === '') return undefined;
  const clientSecret = env['AUTH0_CLIENT_SECRET']?.trim() ?? '';
  if (clientSecret === '') problems.push('AUTH0_CLIENT_SECRET is missing.');
  return {
    name: 'auth0',
    kind: 'auth0',
    issuer: auth0Issuer(domain),
    clientId,
    clientSecret,
    label: env['AUTH0_LABEL']?.trim() || 'Auth0',
    scopes: socialFields.SCOPES.default,
    audience: env['AUTH0_AUDIENCE']?.trim() ?? '',
    clientAuth: '',
    apple: { teamId: '', keyId: '', privateKey: '' },
  };
}

/** A domain stands for https; a whole address is taken as it is, such as that of a stand-in. */
function auth0Issuer(domain: string): string {
  return /^https?:\/\//.test(domain) ? domain : `https://${domain}/`;
}

/**
 * The issuers whose access tokens count here: those of TRUSTED_ISSUERS (`issuer` or `issuer|audience`, comma
 * separated; without an audience, that of this service), and each provider that has an audience.
 */
export function readTrustedIssuers(
  env: Environment,
  { providers, ownAudience }: { providers: readonly IdentityProvider[]; ownAudience: string },
  problems: string[],
): readonly TrustedIssuer[] {
  const audiences = new Map<string, Set<string>>();
  const add = (issuer: string, audience: string) => {
    const key = issuer.replace(/\/$/, '');
    audiences.set(key, (audiences.get(key) ?? new Set()).add(audience));
  };
  for (const item of (env['TRUSTED_ISSUERS'] ?? '').split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const [issuer = '', audience = ownAudience] = item.split('|').map((part) => part.trim());
    checkIssuer(issuer, 'TRUSTED_ISSUERS', env, problems);
    add(issuer, audience);
  }
  const auth0Domain = env['AUTH0_DOMAIN']?.trim() ?? '';
  const auth0Audience = env['AUTH0_AUDIENCE']?.trim() ?? '';
  if (auth0Domain !== '' && auth0Audience !== '') add(auth0Issuer(auth0Domain), auth0Audience);
  for (const { kind, issuer, audience } of providers) {
    if (audience !== '' && kind === 'oidc') add(issuer, audience);
  }
  return Object.freeze([...audiences].map(([issuer, values]) => ({ issuer, audiences: [...values] })));
}

/** In production what an issuer says about people must not be readable or changeable on the way. */
function checkIssuer(issuer: string, where: string, env: Environment, problems: string[]): void {
  if (issuer === '') return;
  const protocol = URL.canParse(issuer) ? new URL(issuer).protocol : '';
  const isProduction = env['NODE_ENV']?.trim() === 'production';
  if (protocol === 'https:' || (protocol === 'http:' && !isProduction)) return;
  problems.push(
    `${where}: expected the ${isProduction ? 'https' : 'http(s)'} address of an issuer, got "${issuer}".`,
  );
}
