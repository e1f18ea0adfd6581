import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type Interaction, type Provider } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { identityScopes } from '../../../lib/scopes.ts';
import { findApi, findClient, type Application } from '../../applications/index.ts';
import { isOwnResource } from '../protected-resource/own-resource.ts';
import { claimsOfScopes, scopesOfApi, scopesOfService } from '../scopes.ts';

/** An interaction that is under way, with the application that it is for. */
export type OpenInteraction = { interaction: Interaction; application: Application };

/**
 * The interaction that this browser is in the middle of. Undefined when it is over, or is another
 * browser's, or who was signed in is not any more.
 */
export async function findInteraction(
  ctx: Ctx,
  provider: Provider,
  { uid, request, response }: { uid: string; request: IncomingMessage; response: ServerResponse },
): Promise<OpenInteraction | undefined> {
  try {
    const interaction = await provider.interactionDetails(request, response);
    const clientId = String(interaction.params['client_id']);
    const application = await ctx.db.asService((tx) => findClient(tx, clientId));
    return interaction.uid === uid && application ? { interaction, application } : undefined;
  } catch (error) {
    if (error instanceof errors.SessionNotFound) return undefined;
    throw error;
  }
}

export type InteractionResult = NonNullable<Interaction['result']>;

/**
 * Writes down how a step of the way ended, and returns where the browser goes on. `forgetsSession`:
 * somebody else is signed in now, so what was settled before does not count.
 */
export async function endStep(
  ctx: Ctx,
  interaction: Interaction,
  result: InteractionResult,
  { forgetsSession = false } = {},
): Promise<string> {
  const isFresh = forgetsSession || 'error' in result;
  interaction.result = isFresh ? result : { ...interaction.lastSubmission, ...result };
  if (forgetsSession) delete interaction.session;
  const nowSeconds = Math.floor(ctx.clock.now().getTime() / 1000);
  await interaction.save(Math.max(1, interaction.exp - nowSeconds));
  return interaction.returnTo;
}

/** What an authorization request asks for, each resource with the scopes that mean something there. */
export type Requested = {
  /** Those that mean something anywhere. */
  scopes: string[];
  /** Names of claims that are asked for one by one, of those that there are. */
  claims: string[];
  resources: { resource: string; scopes: string[] }[];
};

/** Reads what an interaction is about from the request that began it; what nobody knows is left out. */
export async function readRequested(ctx: Ctx, { params }: Interaction): Promise<Requested> {
  const text = (name: string) => (typeof params[name] === 'string' ? params[name] : '');
  const asked = [...new Set(text('scope').split(' ').filter(Boolean))];
  const named = [params['resource'] ?? []].flat().map(String);
  const resources: Requested['resources'] = [];
  for (const resource of named.length === 0 ? [ctx.config.baseUrl] : named) {
    const known = new Set(await knownScopes(ctx, resource));
    resources.push({ resource, scopes: asked.filter((scope) => known.has(scope)) });
  }
  const known = new Set<string>([...identityScopes, ...resources.flatMap(({ scopes }) => scopes)]);
  return {
    scopes: asked.filter((scope) => known.has(scope)),
    claims: claimsOf(text('claims')),
    resources,
  };
}

async function knownScopes(ctx: Ctx, resource: string): Promise<string[]> {
  if (isOwnResource(ctx.config, resource)) return scopesOfService.split(' ');
  const api = await ctx.db.asService((tx) => findApi(tx, resource));
  return api ? scopesOfApi(api) : [];
}

/** The library has checked the form. Claims that we do not know are ignored. @see OpenID Connect Core §5.5 */
function claimsOf(text: string): string[] {
  if (text === '') return [];
  const { userinfo, id_token: idToken } = JSON.parse(text) as Record<string, object | undefined>;
  const asked = new Set([...Object.keys(userinfo ?? {}), ...Object.keys(idToken ?? {})]);
  return Object.values(claimsOfScopes)
    .flat()
    .filter((claim) => asked.has(claim));
}
