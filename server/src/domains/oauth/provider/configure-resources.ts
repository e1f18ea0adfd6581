import { errors, type Configuration, type ResourceServer } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { findApi, mayCall } from '../../applications/index.ts';
import { inExchange } from '../exchange.ts';
import { isOwnResource } from '../protected-resource/own-resource.ts';
import { scopesOfApi, scopesOfService } from '../scopes.ts';

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

/**
 * The APIs that tokens are for: this service unless said otherwise, or one that an application protects. A
 * token is for one of them, and carries of what was asked for the scopes that the API knows. Without a
 * person who agrees, only whom the API lets in gets one. @see RFC 8707 §2, RFC 9068 §3, RFC 6749 §3.3
 */
export function configureResources(ctx: Ctx): ResourceIndicators {
  return {
    enabled: true,
    defaultResource: async (_context, _client, oneOf) => {
      if (oneOf === undefined) return ctx.config.baseUrl;
      return oneOf.includes(ctx.config.baseUrl) || oneOf.length !== 1 ? ctx.config.baseUrl : (oneOf[0] ?? '');
    },
    useGrantedResource: async () => true,
    getResourceServerInfo: async ({ oidc }, resource, client) => {
      if (isOwnResource(ctx.config, resource)) return describeService(ctx);
      const api = await inExchange(ctx, (tx) => findApi(tx, resource));
      const isItsOwn = oidc.params?.['grant_type'] === 'client_credentials';
      if (!api || (isItsOwn && !mayCall(api, client.clientId))) throw new errors.InvalidTarget();
      const scopes = isItsOwn ? api.scopes : scopesOfApi(api);
      return { ...signedTokens, audience: resource, scope: scopes.join(' ') };
    },
  };
}

const signedTokens = { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } } as const;

/** This service as an API that tokens are for. */
export function describeService({ config }: Pick<Ctx, 'config'>): ResourceServer {
  return { ...signedTokens, audience: config.jwtAudience, scope: scopesOfService };
}
