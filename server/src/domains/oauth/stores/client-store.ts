import type { ClientMetadata } from 'oidc-provider';
import { findClient, type Application } from '../../applications/index.ts';
import { currentExchange } from '../exchange.ts';
import { withoutNulls } from './source.ts';
import type { Payload, Store } from './to-adapter.ts';

/** What an application is besides what the protocol knows; members of the library's client. */
export const extraClientProperties = [
  'application_id',
  'pkce_required',
  'require_second_factor',
  'is_verified',
  'access',
];

/** Applications as clients of the protocol. `placeholderSecret` stands where the library wants a secret. */
export function createClientStore(placeholderSecret: string): Store {
  const described = new WeakMap<Application, Payload>();
  const describe = (application: Application): Payload => {
    const known = described.get(application) ?? toClientMetadata(application, placeholderSecret);
    described.set(application, known);
    return known;
  };
  return {
    async find(tx, clientId) {
      if (/\0/.test(clientId) || !clientId.isWellFormed()) return undefined;
      const known = currentExchange()?.known.client?.application;
      const application = known?.clientId === clientId ? known : await findClient(tx, clientId);
      return application && describe(application);
    },
  };
}

/**
 * An application in the library's words. Its secret is not among them: only digests are stored, and
 * `compareClientSecret` asks for those.
 */
function toClientMetadata(application: Application, placeholderSecret: string): Payload {
  const { type, tokenEndpointAuthMethod, grantTypes } = application;
  const hasSecret = tokenEndpointAuthMethod.startsWith('client_secret');
  const takesCode = grantTypes.includes('authorization_code') && application.redirectUris.length > 0;
  const metadata: ClientMetadata = {
    client_id: application.clientId,
    client_name: application.name,
    application_type: type === 'native' ? 'native' : 'web',
    redirect_uris: application.redirectUris,
    post_logout_redirect_uris: application.postLogoutRedirectUris,
    response_types: takesCode ? ['code'] : [],
    grant_types: takesCode ? grantTypes : grantTypes.filter((name) => name !== 'authorization_code'),
    token_endpoint_auth_method: tokenEndpointAuthMethod,
    id_token_signed_response_alg: application.idTokenAlgorithm,
    dpop_bound_access_tokens: application.dpopBound,
    authorization_details_types: ['credits_spend'],
    ...(hasSecret ? { client_secret: placeholderSecret } : {}),
  };
  return withoutNulls({
    ...metadata,
    jwks: application.jwks,
    jwks_uri: application.jwksUri,
    logo_uri: application.logoUri,
    client_uri: application.clientUri,
    policy_uri: application.policyUri,
    tos_uri: application.termsUri,
    application_id: application.id,
    pkce_required: application.pkceRequired,
    require_second_factor: application.requireSecondFactor,
    is_verified: application.isVerified,
    access: application.access,
  });
}
