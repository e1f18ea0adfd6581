/** What an application learns of a person, by scope. @see OpenID Connect Core 1.0 §5.4 */
export const claimsOfScopes = {
  openid: ['sub', 'role', 'roles'],
  profile: ['name', 'picture', 'preferred_username', 'updated_at'],
  email: ['email', 'email_verified'],
};

/** Scopes of OpenID Connect that there are. */
export const identityScopes = ['openid', 'profile', 'email', 'offline_access'] as const;

/** What an application may do at the API of this service with a person's token. */
export const serviceScopes = ['credits:read', 'credits:spend'] as const;

/** Everything that a token for this service may carry. */
export const scopesOfService = [...identityScopes, ...serviceScopes].join(' ');

/**
 * The scopes of a request that may be granted at somebody else's API: theirs to name, except those that mean
 * something here.
 */
export function scopesOfOthers(requested: Iterable<string>): string {
  const own = new Set<string>(serviceScopes);
  return [...requested].filter((scope) => scope !== '' && !own.has(scope)).join(' ');
}
