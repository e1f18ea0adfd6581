import * as client from 'openid-client';
import type { Ctx } from '../../../ctx.ts';
import { AppError, type ErrorCode } from '../../../errors.ts';
import type { IdentityProvider } from '../../../identity-providers.ts';
import { attemptSecrets } from './attempt-secrets.ts';
import { toIdentity, type Identity } from './identity.ts';
import { readGithubIdentity } from './read-github-identity.ts';

export type CallbackAnswer = {
  state: string;
  callbackPath: string;
  /** What the provider sent, by address or form. */
  answer: URLSearchParams;
};

/**
 * Exchanges the code that a provider sent for who the person is. Issuer, audience, nonce, times and signature
 * of the ID token, PKCE and the `iss` of the answer are checked. Throws `auth.upstream_denied` when the
 * person turned back there, `auth.upstream_refused` for an answer that is not right, and
 * `auth.upstream_unavailable`. @see OpenID Connect Core 1.0 §3.1.3.7, RFC 9207 §2.4
 */
export async function readIdentity(
  ctx: Ctx,
  provider: IdentityProvider,
  callback: CallbackAnswer,
): Promise<Identity> {
  const configuration = await ctx.upstream.connect(provider);
  try {
    return await exchange(ctx, provider, configuration, callback);
  } catch (error) {
    throw new AppError(codeOf(error), { cause: error });
  }
}

async function exchange(
  ctx: Ctx,
  provider: IdentityProvider,
  configuration: client.Configuration,
  { state, callbackPath, answer }: CallbackAnswer,
): Promise<Identity> {
  const { nonce, verifier } = attemptSecrets(ctx.config, state);
  const url = new URL(`${ctx.config.baseUrl}${callbackPath}`);
  for (const name of ['code', 'state', 'iss', 'error', 'error_description']) {
    for (const value of answer.getAll(name)) url.searchParams.append(name, value);
  }
  const isGithub = provider.kind === 'github';
  const tokens = await client.authorizationCodeGrant(configuration, url, {
    expectedState: state,
    pkceCodeVerifier: verifier,
    ...(isGithub ? {} : { expectedNonce: nonce, idTokenExpected: true }),
  });
  if (isGithub) return readGithubIdentity(configuration, provider, tokens.access_token);
  const { issuer, userinfo_endpoint: userinfo } = configuration.serverMetadata();
  const claims = tokens.claims() as Record<string, unknown> & { sub: string };
  const isComplete = typeof claims['email'] === 'string' || userinfo === undefined;
  const more = isComplete ? {} : await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
  return toIdentity(issuer, { ...nameOf(answer), ...claims, ...more });
}

/** Apple says a person's name only the first time, beside the code. It is shown to nobody but them. */
function nameOf(answer: URLSearchParams): { name?: string } {
  try {
    const { name } = JSON.parse(answer.get('user') ?? '{}') as {
      name?: { firstName?: unknown; lastName?: unknown };
    };
    const parts = [name?.firstName, name?.lastName].filter((part) => typeof part === 'string');
    return parts.length === 0 ? {} : { name: parts.join(' ') };
  } catch {
    return {};
  }
}

const refusalsOfPeople = new Set([
  'access_denied',
  'login_required',
  'consent_required',
  'interaction_required',
]);

function codeOf(error: unknown): ErrorCode {
  if (error instanceof client.AuthorizationResponseError)
    return refusalsOfPeople.has(error.error) ? 'auth.upstream_denied' : 'auth.upstream_refused';
  const { code } = error as { code?: unknown };
  const isLate = code === 'OAUTH_TIMEOUT' || (error instanceof DOMException && error.name === 'TimeoutError');
  const isUnreachable = error instanceof TypeError && error.message === 'fetch failed';
  const isFault = error instanceof client.ResponseBodyError && error.status >= 500;
  return isLate || isUnreachable || isFault ? 'auth.upstream_unavailable' : 'auth.upstream_refused';
}
