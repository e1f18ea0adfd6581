import * as client from 'openid-client';
import type { Clock } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { IdentityProvider } from '../../../identity-providers.ts';
import { fetchBounded } from '../../../lib/fetch-bounded.ts';
import { authenticateAtApple } from './authenticate-at-apple.ts';
import { githubEndpoints } from './read-github-identity.ts';

const rememberedMs = 3_600_000;
/** After a failure nobody waits for the same provider again so soon. */
const pauseMs = 5_000;

/** What is known of a provider: the client of the library, with the metadata that discovery found. */
export type Connect = (provider: IdentityProvider) => Promise<client.Configuration>;

type Remembered = { configuration: Promise<client.Configuration>; until: number };

/**
 * Finds providers by discovery, at most once an hour each, and once for all who ask at the same time. Its
 * answers are checked against the issuer of the settings. Throws `auth.upstream_unavailable`.
 * @see OpenID Connect Discovery 1.0 §4, RFC 8414 §3
 */
export function createConnections(clock: Clock): Connect {
  const remembered = new Map<string, Remembered>();
  return async (provider) => {
    const now = clock.now().getTime();
    const known = remembered.get(provider.name);
    if (known && known.until > now) return known.configuration;
    const configuration = connectProvider(provider, clock);
    const entry = { configuration, until: now + rememberedMs };
    remembered.set(provider.name, entry);
    configuration.catch(() => {
      entry.until = now + pauseMs;
    });
    return configuration;
  };
}

/** The client of one provider. Throws `auth.upstream_unavailable`. */
export async function connectProvider(
  provider: IdentityProvider,
  clock: Clock,
): Promise<client.Configuration> {
  const authentication = authenticationFor(provider, clock);
  try {
    const configuration =
      provider.kind === 'github'
        ? new client.Configuration(githubEndpoints(provider), provider.clientId, undefined, authentication)
        : await discover(provider, authentication);
    configuration[client.customFetch] = fetchForLibrary;
    return configuration;
  } catch (error) {
    throw new AppError('auth.upstream_unavailable', { cause: error });
  }
}

/** The library sends forms and nothing else. */
const fetchForLibrary: client.CustomFetch = (url, { method, headers, body, signal }) =>
  fetchBounded(url, { method, headers, body: body instanceof URLSearchParams ? body : null, signal });

/** The signature of ID tokens is checked too, although they come over TLS from the issuer itself. */
function discover(
  provider: IdentityProvider,
  authentication: client.ClientAuth,
): Promise<client.Configuration> {
  const issuer = new URL(provider.issuer);
  const execute = [client.enableNonRepudiationChecks];
  // The settings take plain http outside of production only.
  if (issuer.protocol === 'http:') execute.push(client.allowInsecureRequests);
  return client.discovery(issuer, provider.clientId, undefined, authentication, {
    execute,
    [client.customFetch]: fetchForLibrary,
  });
}

function authenticationFor(provider: IdentityProvider, clock: Clock): client.ClientAuth {
  if (provider.kind === 'apple') return authenticateAtApple(provider, clock);
  if (provider.kind === 'github' || provider.clientAuth === 'post')
    return client.ClientSecretPost(provider.clientSecret);
  return client.ClientSecretBasic(provider.clientSecret);
}
