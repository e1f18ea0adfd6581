import type { GivenSettings } from './schemas.ts';
import type { Application } from '../to-application-object.ts';
import { assertPublicKeys } from './assert-public-keys.ts';
import { assertReturnAddress } from './assert-return-address.ts';
import { assertWebAddress } from './assert-web-address.ts';
import { invalidField } from './invalid-field.ts';

type Type = Application['type'];
export type Settings = Pick<
  Application,
  | 'type'
  | 'postLogoutRedirectUris'
  | 'backchannelLogoutUri'
  | 'grantTypes'
  | 'tokenEndpointAuthMethod'
  | 'jwks'
  | 'jwksUri'
  | 'idTokenAlgorithm'
  | 'logoUri'
  | 'clientUri'
  | 'policyUri'
  | 'termsUri'
  | 'contacts'
  | 'pkceRequired'
  | 'dpopBound'
  | 'requireSecondFactor'
>;

/** What an application is unless it says otherwise: what the type alone makes safe. */
export const defaultSettings: Settings = {
  type: 'confidential',
  postLogoutRedirectUris: [],
  backchannelLogoutUri: null,
  grantTypes: ['authorization_code', 'refresh_token'],
  tokenEndpointAuthMethod: 'client_secret_basic',
  jwks: null,
  jwksUri: null,
  idTokenAlgorithm: 'RS256',
  logoUri: null,
  clientUri: null,
  policyUri: null,
  termsUri: null,
  contacts: [],
  pkceRequired: true,
  dpopBound: false,
  requireSecondFactor: false,
};

/** Grants in which the application speaks for itself, and so has to prove that it is the one. */
const grantsOfItsOwn = new Set(['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange']);
const grantsOfPeople = ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'];

/**
 * The settings of an application after a request that names some of them; what is absent stays, but follows
 * a change of type: who stops keeping a secret identifies itself by nothing, always uses PKCE and speaks
 * only for people. Throws `request.invalid`.
 * @see OpenID Connect Dynamic Client Registration §2, RFC 7591 §2, OAuth 2.1 §2.1
 */
export function resolveSettings(given: GivenSettings, current: Settings): Settings {
  const type = given.type ?? current.type;
  const settings = {
    ...current,
    ...withoutUndefined(given),
    type,
    tokenEndpointAuthMethod: resolveMethod(given, current, type),
    grantTypes: resolveGrantTypes(given, current, type),
    pkceRequired: resolvePkce(given, current, type),
    ...resolveKeys(given, current),
  };
  assertKeys(settings);
  settings.postLogoutRedirectUris.forEach((uri, index) =>
    assertReturnAddress(uri, type, `/body/postLogoutRedirectUris/${index}`),
  );
  assertWebAddress(settings.backchannelLogoutUri, '/body/backchannelLogoutUri', { mayBeLocal: true });
  assertWebAddress(settings.jwksUri, '/body/jwksUri', { mayBeLocal: true });
  assertWebAddress(settings.logoUri, '/body/logoUri', { mayBeLocal: false });
  for (const name of ['clientUri', 'policyUri', 'termsUri'] as const) {
    assertWebAddress(settings[name], `/body/${name}`, { mayBeLocal: true });
  }
  return pickSettings(settings);
}

function resolveMethod(
  given: GivenSettings,
  current: Settings,
  type: Type,
): Settings['tokenEndpointAuthMethod'] {
  const keepsSecret = type === 'confidential';
  const kept = (current.tokenEndpointAuthMethod !== 'none') === keepsSecret;
  const fallback = keepsSecret ? 'client_secret_basic' : 'none';
  const method = given.tokenEndpointAuthMethod ?? (kept ? current.tokenEndpointAuthMethod : fallback);
  if ((method !== 'none') === keepsSecret) return method;
  const message = keepsSecret
    ? 'must not be none in a confidential application'
    : `must be none, being ${type}`;
  throw invalidField('/body/tokenEndpointAuthMethod', message);
}

function resolveGrantTypes(given: GivenSettings, current: Settings, type: Type): Settings['grantTypes'] {
  const isAllowed = (grant: string) => type === 'confidential' || !grantsOfItsOwn.has(grant);
  if (given.grantTypes === undefined) {
    const kept = current.grantTypes.filter(isAllowed);
    return kept.length > 0 ? kept : defaultSettings.grantTypes;
  }
  const grants = [...new Set(given.grantTypes)];
  const refused = grants.findIndex((grant) => !isAllowed(grant));
  if (refused >= 0) {
    throw invalidField(`/body/grantTypes/${refused}`, 'is for applications that keep a secret');
  }
  if (
    grants.includes('refresh_token') &&
    !grantsOfPeople.some((grant) => grants.some((one) => one === grant))
  ) {
    throw invalidField('/body/grantTypes', 'has refresh_token, but nothing that a refresh token comes from');
  }
  return grants;
}

function resolvePkce(given: GivenSettings, current: Settings, type: Type): boolean {
  if (type === 'confidential') return given.pkceRequired ?? current.pkceRequired;
  if (given.pkceRequired !== false) return true;
  throw invalidField('/body/pkceRequired', 'can be switched off only for applications that keep a secret');
}

/** Keys are named here or found at an address: who names one of the two takes the other back. */
function resolveKeys(given: GivenSettings, current: Settings): Pick<Settings, 'jwks' | 'jwksUri'> {
  if (given.jwks && given.jwksUri) throw invalidField('/body/jwksUri', 'must be absent when jwks is given');
  if (given.jwks) return { jwks: given.jwks, jwksUri: null };
  if (given.jwksUri) return { jwks: null, jwksUri: given.jwksUri };
  return {
    jwks: given.jwks === null ? null : current.jwks,
    jwksUri: given.jwksUri === null ? null : current.jwksUri,
  };
}

function assertKeys({ jwks, jwksUri, tokenEndpointAuthMethod }: Settings): void {
  if (jwks) assertPublicKeys(jwks, '/body/jwks');
  if (tokenEndpointAuthMethod === 'private_key_jwt' && !jwks && !jwksUri) {
    throw invalidField('/body/jwks', 'is missing; private_key_jwt needs jwks or jwksUri');
  }
}

/** Of a larger object, only what is a setting: a row must not take over what else a request names. */
function pickSettings(from: Settings): Settings {
  const names = Object.keys(defaultSettings) as (keyof Settings)[];
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Settings;
}

function withoutUndefined<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
