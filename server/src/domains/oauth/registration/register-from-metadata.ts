import type { Ctx } from '../../../ctx.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { registerClient, type Application } from '../../applications/index.ts';
import {
  ClientMetadataError,
  readClientMetadata,
  toMetadataError,
  type ClientMetadata,
} from './read-client-metadata.ts';

/**
 * Registers an application by its own description. Returns what it is now, in the protocol's words, with
 * the secret shown this once. Throws ClientMetadataError. @see RFC 7591 §3.2.1
 */
export async function registerFromMetadata(
  ctx: Ctx,
  metadata: unknown,
  origin: RequestOrigin,
): Promise<ClientMetadata> {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw new ClientMetadataError('invalid_client_metadata', 'the body must be a JSON object');
  const described = readClientMetadata(metadata as ClientMetadata);
  try {
    const { application, clientSecret } = await ctx.db.asService((tx) =>
      registerClient(ctx, tx, described, origin),
    );
    return toClientMetadata(application, clientSecret);
  } catch (error) {
    throw toMetadataError(error);
  }
}

function toClientMetadata(application: Application, clientSecret: string | null): ClientMetadata {
  return {
    client_id: application.clientId,
    client_id_issued_at: Math.floor(application.createdAt.getTime() / 1000),
    ...(clientSecret === null ? {} : { client_secret: clientSecret, client_secret_expires_at: 0 }),
    client_name: application.name,
    application_type: application.type === 'native' ? 'native' : 'web',
    redirect_uris: application.redirectUris,
    response_types: ['code'],
    grant_types: application.grantTypes,
    token_endpoint_auth_method: application.tokenEndpointAuthMethod,
    id_token_signed_response_alg: application.idTokenAlgorithm,
    dpop_bound_access_tokens: application.dpopBound,
    post_logout_redirect_uris: application.postLogoutRedirectUris,
  };
}
