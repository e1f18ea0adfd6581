import type { Adapter } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';
import { currentExchange, inExchange } from '../exchange.ts';
import type { RefreshDescribedClient } from '../registration/refresh-described-client.ts';
import { createAccessTokenStore } from './access-token-store.ts';
import { createAuthorizationCodeStore } from './authorization-code-store.ts';
import { createClientStore } from './client-store.ts';
import { createDeviceCodeStore } from './device-code-store.ts';
import { createGrantStore } from './grant-store.ts';
import { createInteractionStore } from './interaction-store.ts';
import { createPushedRequestStore } from './pushed-request-store.ts';
import { createRefreshTokenStore } from './refresh-token-store.ts';
import { createSessionStore } from './session-store.ts';
import { toAdapter, type Run, type Store } from './to-adapter.ts';
import { createUsedProofStore } from './used-proof-store.ts';

/** What the library is built with besides `ctx`. */
export type ProviderOptions = {
  /** Stands where the library wants a secret that we do not have. */
  placeholderSecret: string;
  /** Finds the addresses of names that clients give; DNS unless said otherwise. */
  resolve?: Resolve | undefined;
  refreshClient: RefreshDescribedClient;
};

/**
 * The storage of the library, one adapter per kind of object. Clients are read in a statement of their own:
 * the library may fetch a client's keys between that and the rest, and no transaction waits for somebody's
 * server.
 */
export function createAdapterFactory(
  ctx: Ctx,
  { placeholderSecret, refreshClient }: ProviderOptions,
): (name: string) => Adapter {
  const run: Run = (work) => inExchange(ctx, work);
  // A request that has a connection does not wait for a second one: all could be waiting for each other.
  const runClients: Run = (work) =>
    hasBegun() || currentExchange()?.known.client ? run(work) : ctx.db.asService(work);
  const stores: Record<string, Store> = {
    Session: createSessionStore(ctx),
    Interaction: createInteractionStore(ctx),
    Grant: createGrantStore(ctx),
    AuthorizationCode: createAuthorizationCodeStore(ctx),
    RefreshToken: createRefreshTokenStore(ctx),
    AccessToken: createAccessTokenStore(ctx, 'AccessToken'),
    ClientCredentials: createAccessTokenStore(ctx, 'ClientCredentials'),
    DeviceCode: createDeviceCodeStore(ctx),
    PushedAuthorizationRequest: createPushedRequestStore(ctx),
    ReplayDetection: createUsedProofStore(ctx),
  };
  const clients = toAdapter('Client', createClientStore(placeholderSecret), runClients);
  return (name) => {
    if (name === 'Client') return withDocuments(clients, refreshClient);
    const store = stores[name];
    if (!store) throw new Error(`there is no storage for ${name}`);
    return toAdapter(name, store, run);
  };
}

/**
 * Looks at the document of a client first, where its id is the address of one. The library knows no client
 * that is not to be looked at now.
 */
function withDocuments(clients: Adapter, refresh: RefreshDescribedClient): Adapter {
  return {
    ...clients,
    find: async (clientId) => {
      if (!hasBegun() && currentExchange()?.known.client?.application.clientId !== clientId) {
        await refresh(clientId).catch((error: unknown) => {
          if (!(error instanceof AppError && error.code === 'request.rate_limited')) throw error;
        });
      }
      return clients.find(clientId);
    },
  };
}

function hasBegun(): boolean {
  return currentExchange()?.hasBegun() ?? false;
}
