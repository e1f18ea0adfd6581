import * as client from 'openid-client';
import type { Clock } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { IdentityProvider } from '../../../identity-providers.ts';
import { fetchBounded } from '../../../lib/fetch-bounded.ts';
import { makeAppleSecret } from './make-apple-secret.ts';
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
async function connectProvider(provider: IdentityProvider, clock: Clock): Promise<client.Configuration> {
  try {
    const metadata = await findMetadata(provider);
    const authentication = await authenticationFor(provider, metadata, clock);
    const configuration = new client.Configuration(metadata, provider.clientId, undefined, authentication);
    configuration[client.customFetch] = fetchForLibrary;
    // Although ID tokens come over TLS from the issuer itself, their signature is checked, too.
    client.enableNonRepudiationChecks(configuration);
    if (isPlain(provider)) client.allowInsecureRequests(configuration);
    return configuration;
  } catch (error) {
    throw new AppError('auth.upstream_unavailable', { cause: error });
  }
}

/** The library sends forms and nothing else. */
const fetchForLibrary: client.CustomFetch = (url, { method, headers, body, signal }) =>
  fetchBounded(url, { method, headers, body: body instanceof URLSearchParams ? body : null, signal });

/** The settings take plain http outside of production only. */
const isPlain = ({ issuer }: IdentityProvider) => issuer.startsWith('http:');

async function findMetadata(provider: IdentityProvider): Promise<client.ServerMetadata> {
  if (provider.kind === 'github') return githubEndpoints(provider);
  const options = {
    execute: isPlain(provider) ? [client.allowInsecureRequests] : [],
    [client.customFetch]: fetchForLibrary,
  };
  const found = await client.discovery(
    new URL(provider.issuer),
    provider.clientId,
    undefined,
    client.None(),
    options,
  );
  return found.serverMetadata();
}

/** By the form where the provider takes that: not all of them decode what stands in the header. */
async function authenticationFor(
  provider: IdentityProvider,
  { token_endpoint_auth_methods_supported: supported = [] }: client.ServerMetadata,
  clock: Clock,
): Promise<client.ClientAuth> {
  if (provider.kind === 'apple') return client.ClientSecretPost(await makeAppleSecret(provider, clock));
  const takesForm = provider.kind === 'github' || supported.includes('client_secret_post');
  const method = provider.clientAuth || (takesForm ? 'post' : 'basic');
  return method === 'post'
    ? client.ClientSecretPost(provider.clientSecret)
    : client.ClientSecretBasic(provider.clientSecret);
}
