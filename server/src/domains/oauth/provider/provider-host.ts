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
  /** Lets that one answer a request. */
  answer: ReturnType<Provider['callback']>;
  /** See RefreshDescribedClient; before a request that begins with something else than its client. */
  refreshClient: RefreshDescribedClient;
};

type Built = { order: string; provider: Provider; answer: ProviderHost['answer'] };

/**
 * Builds the library anew whenever there are other keys or another one's turn to sign has come. Requests
 * that are under way end where they began; everything else about them is in the database.
 */
export function createProviderHost(ctx: Ctx, { resolve, countRegistration }: RefreshOptions): ProviderHost {
  const refreshClient = createRefreshDescribedClient(ctx, { resolve, countRegistration });
  const options = { placeholderSecret: newOpaqueToken(ctx.random), resolve, refreshClient };
  let built: Built | undefined;
  const build = (): Built => {
    const order = ctx.keys
      .signers()
      .map(({ kid }) => kid)
      .join(' ');
    if (built?.order === order) return built;
    const provider = createProvider(ctx, options);
    built = { order, provider, answer: provider.callback() };
    return built;
  };
  return {
    refreshClient,
    current: () => build().provider,
    answer: (request, response) => build().answer(request, response),
  };
}
