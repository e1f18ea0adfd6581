import { errors, type Configuration, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { findClientOfResource } from '../../applications/index.ts';
import { inExchange } from '../exchange.ts';
import { isOwnResource } from '../protected-resource/own-resource.ts';
import { scopesOfOthers, scopesOfService } from '../scopes.ts';

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

/**
 * The APIs that tokens are for: this service unless said otherwise, or one that an application protects. A
 * token is for one of them. @see RFC 8707 §2, RFC 9068 §3
 */
export function configureResources(ctx: Ctx): ResourceIndicators {
  return {
    enabled: true,
    defaultResource: async (_context, _client, oneOf) => {
      if (oneOf === undefined) return ctx.config.baseUrl;
      return oneOf.includes(ctx.config.baseUrl) || oneOf.length !== 1 ? ctx.config.baseUrl : (oneOf[0] ?? '');
    },
    useGrantedResource: async () => true,
    getResourceServerInfo: async (context, resource) => {
      if (isOwnResource(ctx.config, resource)) return describeService(ctx);
      const owner = await inExchange(ctx, (tx) => findClientOfResource(tx, resource));
      if (!owner) throw new errors.InvalidTarget();
      return { ...signedTokens, audience: resource, scope: scopesOfOthers(requestedScopes(context)) };
    },
  };
}

const signedTokens = { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } } as const;

/** This service as an API that tokens are for. */
export function describeService({ config }: Pick<Ctx, 'config'>): ResourceServer {
  return { ...signedTokens, audience: config.jwtAudience, scope: scopesOfService };
}

/** What was asked for now, or when what is being exchanged was granted. */
function requestedScopes({ oidc }: KoaContextWithOIDC): string[] {
  const { RefreshToken: refresh, AuthorizationCode: code, DeviceCode: device } = oidc.entities;
  const source = refresh ?? code ?? device;
  return [...oidc.requestParamScopes, ...(source?.scopes ?? [])];
}
