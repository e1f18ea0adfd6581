import type { Config } from '../../../config.ts';
import type { Clock } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { IdentityProvider } from '../../../identity-providers.ts';
import { createConnections, type Connect } from './connections.ts';
import { createForeignTokens, type ForeignTokens } from './foreign-tokens.ts';
import { githubEndpoints } from './read-github-identity.ts';

/** The other providers that the settings name. */
export type Upstream = {
  providers: readonly IdentityProvider[];
  /** The provider of a name. Throws `auth.provider_unknown`. */
  find(name: string): IdentityProvider;
  /** The one that the redirect login of Moxie leads to. Throws `auth.provider_unknown`. */
  findDefault(): IdentityProvider;
  /** The name of the provider with this issuer; the issuer itself when it is none of the settings'. */
  nameOf(issuer: string): string;
  /** The same in the words of the pages. */
  labelOf(issuer: string): string;
  connect: Connect;
  /** Bearer tokens of other issuers. */
  tokens: ForeignTokens;
};

/** Makes the providers of the settings ready. None is asked for anything before it is needed. */
export function createUpstream({ config, clock }: { config: Config; clock: Clock }): Upstream {
  const { identityProviders: providers } = config;
  const withIssuer = (issuer: string) => providers.find((one) => bare(issuerOf(one)) === bare(issuer));
  const named = (name: string) => orUnknown(providers.find((one) => one.name === name));
  return {
    providers,
    find: named,
    findDefault: () => (config.socialDefault === '' ? orUnknown(providers[0]) : named(config.socialDefault)),
    nameOf: (issuer) => withIssuer(issuer)?.name ?? issuer,
    labelOf: (issuer) => withIssuer(issuer)?.label ?? issuer,
    connect: createConnections(clock),
    tokens: createForeignTokens({ config, clock }),
  };
}

function orUnknown(provider: IdentityProvider | undefined): IdentityProvider {
  if (!provider) throw new AppError('auth.provider_unknown');
  return provider;
}

function issuerOf(provider: IdentityProvider): string {
  return provider.kind === 'github' ? githubEndpoints(provider).issuer : provider.issuer;
}

const bare = (issuer: string) => issuer.replace(/\/$/, '');
