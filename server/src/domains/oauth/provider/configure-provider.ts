import type { Configuration } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';
import { identityScopes } from '../../../lib/scopes.ts';
import { currentExchange } from '../exchange.ts';
import { fetchSafely } from '../fetch-safely.ts';
import { findAccount } from '../find-account.ts';
import { refreshTtlSeconds } from '../open-authorization.ts';
import { claimsOfScopes } from '../scopes.ts';
import { createAdapterFactory, type ProviderOptions } from '../stores/adapter-factory.ts';
import { extraClientProperties } from '../stores/client-store.ts';
import { passwordAcr, secondFactorAcr } from '../../auth/index.ts';
import { configureFeatures } from './configure-features.ts';
import { createInteractionPolicy } from './interaction-policy.ts';
import { loadGrant } from './load-grant.ts';
import { showError } from './show-error.ts';
import { describeToken, recordToken } from './record-token.ts';
import { toSigningKeys } from './signing-key.ts';

/** Where the endpoints are: the paths that existing clients have written down. */
const routes = {
  authorization: '/authorize',
  token: '/oauth/token',
  revocation: '/oauth/revoke',
  introspection: '/oauth/introspect',
  pushed_authorization_request: '/oauth/par',
  device_authorization: '/oauth/device',
  userinfo: '/userinfo',
  end_session: '/logout',
  jwks: '/.well-known/jwks.json',
  code_verification: '/device',
};

const codeTtlSeconds = 60;
const deviceCodeTtlSeconds = 600;
const idTokenTtlSeconds = 3600;
const interactionTtlSeconds = 3600;
const clockToleranceSeconds = 5;
const signatureAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
const idTokenAlgorithms = ['RS256', 'ES256', 'EdDSA'] as const;

/** The library's configuration: what OAuth 2.1 and oauth policy of this service want, and nothing else. */
export function configureProvider(ctx: Ctx, options: ProviderOptions): Configuration {
  return {
    adapter: createAdapterFactory(ctx, options),
    jwks: { keys: toSigningKeys(ctx.keys.signers()) },
    routes,
    features: configureFeatures(ctx),
    ...configurePolicy(ctx),
    ...configureClients(ctx, options),
    acrValues: [passwordAcr, secondFactorAcr],
    // How and when somebody showed who they are stands in every ID token. @see OpenID Connect Core 1.0 §2
    claims: { ...claimsOfScopes, openid: [...claimsOfScopes.openid, 'acr', 'amr'] },
    scopes: [...identityScopes],
    responseTypes: ['code'],
    clockTolerance: clockToleranceSeconds,
    cookies: cookiesOf(ctx),
    discovery: {
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      ui_locales_supported: ['en'],
      ...(ctx.config.oauthRegistration === 'off'
        ? {}
        : { registration_endpoint: `${ctx.config.baseUrl}/oauth/register` }),
      ...(ctx.config.oauthClientDocuments ? { client_id_metadata_document_supported: true } : {}),
    },
    renderError: (context, out, error) => showError(context, out, error),
    ttl: lifetimesOf(ctx),
  };
}

function configurePolicy(ctx: Ctx): Configuration {
  return {
    findAccount: (context, userId, token) => {
      const { oidc } = context;
      const applicationId = oidc.client?.['application_id'] as string | undefined;
      return findAccount(ctx, { userId, applicationId, mustHaveAccess: token !== undefined });
    },
    loadExistingGrant: (context) => loadGrant(ctx, context),
    extraTokenClaims: (_context, token) => describeToken(ctx, token),
    formats: { customizers: { jwt: (_context, token, parts) => recordToken(ctx, token, parts) } },
    issueRefreshToken: async (_context, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async (_context, source) => !source.scopes.has('offline_access'),
    rotateRefreshToken: true,
    // A refresh token that is given back takes the grant along; a reused one ends its family only.
    revokeGrantPolicy: ({ oidc }) =>
      currentExchange()?.endpoint === 'revoke' && oidc.entities.RefreshToken !== undefined,
    interactions: {
      url: (_context, interaction) => `/interaction/${interaction.uid}`,
      policy: createInteractionPolicy(ctx),
    },
    pkce: {
      // Its owner may exempt an application that can keep a secret, if it sends a nonce. @see RFC 9700 §2.1.1
      required: ({ oidc }, client) =>
        client['pkce_required'] !== false ||
        client.clientAuthMethod === 'none' ||
        oidc.params?.['nonce'] === undefined,
    },
  };
}

function configureClients(ctx: Ctx, { resolve }: ProviderOptions): Configuration {
  return {
    clientDefaults: { grant_types: ['authorization_code'], response_types: ['code'] },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    extraClientMetadata: { properties: extraClientProperties },
    allowOmittingSingleRegisteredRedirectUri: false,
    enabledJWA: {
      clientAuthSigningAlgValues: [...signatureAlgorithms],
      idTokenSigningAlgValues: [...idTokenAlgorithms],
      dPoPSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    },
    // What clients name is asked only through the guard that webhooks pass, too.
    fetch: (address, options) => fetchForClient(ctx, resolve, address, options),
  };
}

function fetchForClient(
  { config }: Ctx,
  resolve: Resolve | undefined,
  address: Parameters<typeof fetch>[0],
  { method, headers, body }: RequestInit = {},
): Promise<Response> {
  const request = {
    method: method ?? 'GET',
    headers: Object.fromEntries(new Headers(headers).entries()),
    ...(typeof body === 'string' ? { body } : {}),
  };
  const mayBeLoopback = config.webhookAllowLoopback && !config.isProduction;
  return fetchSafely(address instanceof Request ? address.url : String(address), request, {
    mayBeLoopback,
    resolve,
  });
}

function lifetimesOf({ config }: Ctx): NonNullable<Configuration['ttl']> {
  return {
    AccessToken: () => config.accessTokenTtlSeconds,
    ClientCredentials: () => config.accessTokenTtlSeconds,
    AuthorizationCode: () => codeTtlSeconds,
    DeviceCode: () => deviceCodeTtlSeconds,
    IdToken: () => idTokenTtlSeconds,
    Interaction: () => interactionTtlSeconds,
    Grant: () => refreshTtlSeconds,
    Session: () => config.refreshTokenTtlSeconds,
    RefreshToken: (_context, token) => Math.max(1, refreshTtlSeconds - token.totalLifetime()),
  };
}

/** The session of the library is the sign-in cookie; the others live as long as an interaction. */
function cookiesOf({ config }: Ctx): NonNullable<Configuration['cookies']> {
  const common = { httpOnly: true, secure: true, sameSite: 'lax', signed: false } as const;
  const isShared = config.cookieDomain !== '';
  return {
    names: {
      session: isShared ? '__Secure-obol_session' : '__Host-obol_session',
      interaction: '__Secure-obol_interaction',
      resume: '__Secure-obol_resume',
    },
    long: { ...common, path: '/', ...(isShared ? { domain: config.cookieDomain } : {}) },
    short: common,
    keys: [],
  };
}
