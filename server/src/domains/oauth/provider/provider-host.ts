import type { Provider } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { newOpaqueToken } from '../../../lib/secrets.ts';
import {
  createRefreshDescribedClient,
  type RefreshDescribedClient,
  type RefreshOptions,
} from '../registration/refresh-described-client.ts';
import { createProvider } from './create-provider.ts';

/** Hands out the library, which knows its keys from its construction. */
export type ProviderHost = {
  current(): Provider;
  /** See RefreshDescribedClient; before a request that begins with something else than its client. */
  refreshClient: RefreshDescribedClient;
};

/**
 * Builds the library anew whenever there are other keys or another one's turn to sign has come. Requests
 * that are under way end where they began; everything else about them is in the database.
 */
export function createProviderHost(ctx: Ctx, { resolve, countRegistration }: RefreshOptions): ProviderHost {
  const refreshClient = createRefreshDescribedClient(ctx, { resolve, countRegistration });
  const options = { placeholderSecret: newOpaqueToken(ctx.random), resolve, refreshClient };
  let built: { order: string; provider: Provider } | undefined;
  return {
    refreshClient,
    current() {
      const order = ctx.keys
        .signers()
        .map(({ kid }) => kid)
        .join(' ');
      if (built?.order !== order) built = { order, provider: createProvider(ctx, options) };
      return built.provider;
    },
  };
}
