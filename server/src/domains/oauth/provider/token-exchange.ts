import { errors, type AccessToken, type Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { findApi, mayCall, type Api } from '../../applications/index.ts';
import { currentExchange, inExchange } from '../exchange.ts';
import { scopesOfApi } from '../scopes.ts';

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
type Context = TokenEndpointGrantContext;

const parameters = [
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'actor_token',
  'audience',
  'resource',
  'scope',
];

/**
 * Adds the exchange of tokens, which the library does not have: an API that was given a person's token gets
 * one for another API, in its own name and theirs. Only for applications that the other API lets call it,
 * with no more than the scope of the token, no longer than it lives, and dead when the person's
 * authorization ends. A token that is bound to a key stays with whoever has the key (RFC 9449 §6.1), so it
 * cannot be exchanged.
 * @see RFC 8693 §2
 */
export function registerTokenExchange(ctx: Ctx, provider: Provider): void {
  provider.registerGrantType(
    grantType,
    async (context) => {
      const target = await findTarget(ctx, context);
      const subject = await findSubject(ctx, context, provider);
      const token = toExchanged(ctx, context, subject, target);
      const current = currentExchange();
      if (current) current.actor = actorOf(context.oidc.client.clientId, subject);
      context.oidc.entity('AccessToken', token);
      context.body = {
        access_token: await token.save(),
        issued_token_type: accessTokenType,
        token_type: 'Bearer',
        expires_in: token.expiration,
        scope: token.scope,
      };
    },
    parameters,
    ['audience', 'resource'],
  );
}

function toExchanged(ctx: Ctx, { oidc }: Context, subject: AccessToken, target: Target): AccessToken {
  const { client, provider } = oidc;
  if (client['dpopBoundAccessTokens'] === true)
    throw new errors.InvalidRequest('bound tokens cannot be had by exchange');
  const { audience, api } = target;
  const scope = narrowScopes(oidc.requestParamScopes, subject, api).join(' ');
  const given: ConstructorParameters<Provider['AccessToken']>[0] = {
    accountId: subject.accountId,
    // An exchanged token has no grant of its own, see the store; its authorization is its sid.
    grantId: subject.grantId ?? subject.sid ?? '',
    client,
    gty: grantType,
    scope,
    claims: {},
    expiresIn: Math.max(1, Math.min(ctx.config.accessTokenTtlSeconds, subject.remainingTTL)),
  };
  const token = new provider.AccessToken(given);
  token.resourceServer = new provider.ResourceServer(audience, {
    audience,
    scope,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'RS256' } },
  });
  return token;
}

/** Who acts, and for whom that one acted, if they did. @see RFC 8693 §4.1 */
function actorOf(clientId: string, subject: AccessToken): Record<string, unknown> {
  const before = subject.extra?.['act'];
  return { sub: clientId, ...(before ? { act: before } : {}) };
}

type Target = { audience: string; api: Api };

/** The API that the new token is for: named once, and one that lets the application call it. */
async function findTarget(ctx: Ctx, { oidc }: Context): Promise<Target> {
  const { params, client } = oidc;
  if (params['actor_token'] !== undefined) throw new errors.InvalidRequest('actor_token is not supported');
  const requested = params['requested_token_type'];
  if (requested !== undefined && requested !== accessTokenType)
    throw new errors.InvalidRequest('only access tokens can be requested');
  const named = [params['audience'] ?? [], params['resource'] ?? []].flat().map(String);
  const [audience] = named;
  if (audience === undefined || new Set(named).size !== 1)
    throw new errors.InvalidTarget('name one API by audience or resource');
  const api = await inExchange(ctx, (tx) => findApi(tx, audience));
  if (!api || !mayCall(api, client.clientId)) throw new errors.InvalidTarget();
  return { audience, api };
}

/** The token to exchange: alive, and given to this application or meant for an API that it protects. */
async function findSubject(ctx: Ctx, { oidc }: Context, provider: Provider): Promise<AccessToken> {
  const { subject_token: value, subject_token_type: type } = oidc.params;
  if (typeof value !== 'string' || type !== accessTokenType)
    throw new errors.InvalidRequest('subject_token must be an access token');
  const subject = await provider.AccessToken.find(value);
  if (!subject?.isValid) throw new errors.InvalidRequest('subject_token is not valid');
  const audience = String(subject.aud);
  const api = await inExchange(ctx, (tx) => findApi(tx, audience));
  const { clientId } = oidc.client;
  if (subject.clientId !== clientId && api?.ownerClientId !== clientId)
    throw new errors.InvalidRequest('subject_token is not for this client');
  if (subject.jkt !== undefined) throw new errors.InvalidRequest('subject_token is bound to a key');
  return subject;
}

/** What was asked for, if the token has it; else what of the token means something at the API. */
function narrowScopes(requested: Set<string>, subject: AccessToken, api: Api): string[] {
  const had = [...subject.scopes].filter(Boolean);
  const asked = [...requested].filter(Boolean);
  const missing = asked.filter((scope) => !had.includes(scope));
  if (missing.length > 0) throw new errors.InvalidScope('the token lacks requested scope', missing.join(' '));
  const wanted = asked.length > 0 ? asked : had;
  const known = new Set(scopesOfApi(api));
  return wanted.filter((scope) => known.has(scope));
}
