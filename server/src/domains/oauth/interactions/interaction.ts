import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type Interaction, type Provider } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { findClient, type Application } from '../../applications/index.ts';
import { isOwnResource } from '../protected-resource/own-resource.ts';
import { identityScopes, scopesOfOthers, scopesOfService } from '../scopes.ts';

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
  scopes: string[];
  identityScopes: string[];
  claims: string[];
  resources: { resource: string; scopes: string[] }[];
};

/** Reads what an interaction is about from the request that began it. */
export function readRequested(ctx: Ctx, { params }: Interaction): Requested {
  const text = (name: string) => (typeof params[name] === 'string' ? params[name] : '');
  const scopes = [...new Set(text('scope').split(' ').filter(Boolean))];
  const identity = new Set<string>(identityScopes);
  const ofService = new Set(scopesOfService.split(' '));
  const named = [params['resource'] ?? []].flat().map(String);
  const resources = named.length === 0 ? [ctx.config.baseUrl] : named;
  return {
    scopes,
    identityScopes: scopes.filter((scope) => identity.has(scope)),
    claims: claimsOf(text('claims')),
    resources: resources.map((resource) => ({
      resource,
      scopes: isOwnResource(ctx.config, resource)
        ? scopes.filter((scope) => ofService.has(scope))
        : scopesOfOthers(scopes).split(' ').filter(Boolean),
    })),
  };
}

/** Names of the claims that are asked for one by one; the library has checked the form. */
function claimsOf(text: string): string[] {
  if (text === '') return [];
  const { userinfo, id_token: idToken } = JSON.parse(text) as Record<string, object | undefined>;
  return [...new Set([...Object.keys(userinfo ?? {}), ...Object.keys(idToken ?? {})])];
}
