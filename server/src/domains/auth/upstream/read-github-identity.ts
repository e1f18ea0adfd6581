import * as client from 'openid-client';
import type { IdentityProvider } from '../../../identity-providers.ts';
import { toIdentity, type Identity } from './identity.ts';

/** GitHub has no discovery of its own; these are the addresses of its OAuth and its API. */
export function githubEndpoints({ issuer }: Pick<IdentityProvider, 'issuer'>): client.ServerMetadata {
  const site = issuer.replace(/\/$/, '');
  return {
    issuer: `${site}/login/oauth`,
    authorization_endpoint: `${site}/login/oauth/authorize`,
    token_endpoint: `${site}/login/oauth/access_token`,
  };
}

/** GitHub of one's own has its API beneath the same address. */
function githubApi({ issuer }: IdentityProvider): string {
  const site = issuer.replace(/\/$/, '');
  return site === 'https://github.com' ? 'https://api.github.com' : `${site}/api/v3`;
}

/**
 * Who an access token of GitHub stands for. The address is the primary one if it is verified, else another
 * verified one, else the primary one as it is; that of the profile is whatever its owner has typed in.
 * Rejects when GitHub does not answer as expected.
 * @see GitHub REST API, "Get the authenticated user", "List email addresses for the authenticated user"
 */
export async function readGithubIdentity(
  configuration: client.Configuration,
  provider: IdentityProvider,
  accessToken: string,
): Promise<Identity> {
  const read = async (path: string): Promise<unknown> => {
    const headers = new Headers({ accept: 'application/vnd.github+json', 'user-agent': 'obol' });
    const url = new URL(`${githubApi(provider)}${path}`);
    const response = await client.fetchProtectedResource(
      configuration,
      accessToken,
      url,
      'GET',
      undefined,
      headers,
    );
    if (!response.ok) throw new TypeError(`GitHub answers ${response.status} to ${path}`);
    return response.json();
  };
  const { id, name, login, avatar_url: picture } = (await read('/user')) as Record<string, unknown>;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw new TypeError('GitHub gives no id');
  const address = chooseAddress(await read('/user/emails'));
  return toIdentity(githubEndpoints(provider).issuer, {
    sub: String(id),
    name: name ?? login,
    picture,
    email: address?.email,
    email_verified: address?.verified === true,
  });
}

type GithubAddress = { email?: unknown; primary?: unknown; verified?: unknown };

function chooseAddress(answer: unknown): GithubAddress | undefined {
  const all = Array.isArray(answer) ? (answer as GithubAddress[]) : [];
  const verified = all.filter(({ verified: isVerified }) => isVerified === true);
  const isPrimary = ({ primary }: GithubAddress) => primary === true;
  return verified.find(isPrimary) ?? verified[0] ?? all.find(isPrimary);
}
