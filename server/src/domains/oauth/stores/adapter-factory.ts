import type { Adapter } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { inExchange } from '../exchange.ts';
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

/**
 * The storage of the library, one adapter per kind of object. Clients are read in a statement of their own:
 * the library may fetch a client's keys between that and the rest, and no transaction waits for somebody's
 * server.
 */
export function createAdapterFactory(ctx: Ctx, placeholderSecret: string): (name: string) => Adapter {
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
  return (name) => {
    if (name === 'Client') return toAdapter(name, createClientStore(placeholderSecret), runAlone);
    const store = stores[name];
    if (!store) throw new Error(`there is no storage for ${name}`);
    return toAdapter(name, store, run);
  };
}
