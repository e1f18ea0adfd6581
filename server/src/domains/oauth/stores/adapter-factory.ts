import type { Adapter } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';
import { inExchange } from '../exchange.ts';
import { createRefreshDescribedClient } from '../registration/refresh-described-client.ts';
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
};

/**
 * The storage of the library, one adapter per kind of object. Clients are read in a statement of their own:
 * the library may fetch a client's keys between that and the rest, and no transaction waits for somebody's
 * server.
 */
export function createAdapterFactory(
  ctx: Ctx,
  { placeholderSecret, resolve }: ProviderOptions,
): (name: string) => Adapter {
  const run: Run = (work) => inExchange(ctx, work);
  const runAlone: Run = (work) => ctx.db.asService(work);
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
  const clients = withDocuments(
    ctx,
    toAdapter('Client', createClientStore(placeholderSecret), runAlone),
    resolve,
  );
  return (name) => {
    if (name === 'Client') return clients;
    const store = stores[name];
    if (!store) throw new Error(`there is no storage for ${name}`);
    return toAdapter(name, store, run);
  };
}

/** Looks at the document of a client first, where its id is the address of one. */
function withDocuments(ctx: Ctx, clients: Adapter, resolve: Resolve | undefined): Adapter {
  const refresh = createRefreshDescribedClient(ctx, resolve);
  return {
    ...clients,
    find: async (clientId) => {
      await refresh(clientId);
      return clients.find(clientId);
    },
  };
}
