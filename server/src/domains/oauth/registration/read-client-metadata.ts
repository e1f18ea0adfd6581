import { AppError } from '../../../errors.ts';
import type { SelfDescription } from '../../applications/index.ts';

/** What an application says of itself. @see RFC 7591 §2 */
export type ClientMetadata = Record<string, unknown>;

/** A refusal in the form of RFC 7591 §3.2.2. */
export class ClientMetadataError extends Error {
  override name = 'ClientMetadataError';
  readonly error: 'invalid_client_metadata' | 'invalid_redirect_uri';

  constructor(error: 'invalid_client_metadata' | 'invalid_redirect_uri', message: string) {
    super(message);
    this.error = error;
  }
}

const nameCharactersMax = 100;
const addressesMax = 20;
/** Nobody answers for who registers itself, so it speaks for people only. */
const grantsOfItsOwn = new Set(['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange']);
type Settings = SelfDescription['settings'];
type GrantTypes = NonNullable<Settings['grantTypes']>;

/**
 * An application's description of itself in our words. What it does not say is what the type alone makes
 * safe; what we do not know is ignored. Throws ClientMetadataError.
 */
export function readClientMetadata(metadata: ClientMetadata): Omit<SelfDescription, 'clientId'> {
  const redirectUris = texts(metadata, 'redirect_uris') ?? [];
  const responseTypes = texts(metadata, 'response_types') ?? ['code'];
  if (responseTypes.some((type) => type !== 'code')) refuse('response_types can only be code');
  const method = text(metadata, 'token_endpoint_auth_method') ?? 'client_secret_basic';
  const type = method === 'none' ? typeOf(metadata, redirectUris) : 'confidential';
  const grantTypes = (texts(metadata, 'grant_types') ?? ['authorization_code']) as GrantTypes;
  if (grantTypes.some((grant) => grantsOfItsOwn.has(grant)))
    refuse('grant_types can only be those in which a person agrees');
  if (grantTypes.includes('authorization_code') && redirectUris.length === 0)
    throw new ClientMetadataError('invalid_redirect_uri', 'redirect_uris is missing');
  const name = text(metadata, 'client_name')?.trim() || hostOf(redirectUris);
  return {
    name: Array.from(name).slice(0, nameCharactersMax).join(''),
    redirectUris,
    settings: {
      type,
      grantTypes,
      tokenEndpointAuthMethod: method as NonNullable<Settings['tokenEndpointAuthMethod']>,
      ...defined({
        postLogoutRedirectUris: texts(metadata, 'post_logout_redirect_uris'),
        backchannelLogoutUri: text(metadata, 'backchannel_logout_uri'),
        jwksUri: text(metadata, 'jwks_uri'),
        jwks: metadata['jwks'],
        logoUri: text(metadata, 'logo_uri'),
        clientUri: text(metadata, 'client_uri'),
        policyUri: text(metadata, 'policy_uri'),
        termsUri: text(metadata, 'tos_uri'),
        contacts: texts(metadata, 'contacts'),
        idTokenAlgorithm: text(metadata, 'id_token_signed_response_alg'),
        dpopBound: metadata['dpop_bound_access_tokens'] === true,
      }),
    },
  };
}

/** A refusal of our settings, as one of the description. */
export function toMetadataError(error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'request.invalid') return error;
  const [first] = error.options.errors ?? [];
  const isRedirect = first?.path.startsWith('/body/redirectUri') ?? false;
  const code = isRedirect ? 'invalid_redirect_uri' : 'invalid_client_metadata';
  return new ClientMetadataError(
    code,
    `${first?.path.replace('/body/', '') ?? 'metadata'} ${first?.message}`,
  );
}

/** On a device of the person when it says so, or when every answer goes to that device. @see RFC 8252 §7 */
function typeOf(metadata: ClientMetadata, redirectUris: string[]): 'public' | 'native' {
  if (text(metadata, 'application_type') === 'native') return 'native';
  const isLocal = redirectUris.length > 0 && redirectUris.every((uri) => !uri.startsWith('https://'));
  return isLocal ? 'native' : 'public';
}

function hostOf([first]: string[]): string {
  return URL.parse(first ?? '')?.host || 'An application without a name';
}

function text(metadata: ClientMetadata, name: string): string | undefined {
  const value = metadata[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' && value.length <= 2048 ? value : refuse(`${name} must be a text`);
}

function texts(metadata: ClientMetadata, name: string): string[] | undefined {
  const value = metadata[name];
  if (value === undefined || value === null) return undefined;
  const isList = Array.isArray(value) && value.length <= addressesMax;
  return isList && value.every((one) => typeof one === 'string' && one.length <= 2048)
    ? (value as string[])
    : refuse(`${name} must be a list of at most ${addressesMax} texts`);
}

function refuse(message: string): never {
  throw new ClientMetadataError('invalid_client_metadata', message);
}

function defined(values: Record<string, unknown>): Partial<Settings> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
