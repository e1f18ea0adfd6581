import { identityScopes, serviceScopes } from '../../lib/scopes.ts';

/** What an application learns of a person, by scope. @see OpenID Connect Core 1.0 §5.4 */
export const claimsOfScopes = {
  openid: ['sub', 'role', 'roles'],
  profile: ['name', 'picture', 'preferred_username', 'updated_at'],
  email: ['email', 'email_verified'],
};

/** The scopes whose claims these are. */
export function scopesOfClaims(claims: string[]): string[] {
  return Object.entries(claimsOfScopes)
    .filter(([, names]) => names.some((name) => claims.includes(name)))
    .map(([scope]) => scope);
}

/** Everything that a token for this service may carry. */
export const scopesOfService = [...identityScopes, ...serviceScopes].join(' ');

/** Everything that a token for somebody else's API may carry, when it is a person's. */
export function scopesOfApi({ scopes }: { scopes: string[] }): string[] {
  return [...identityScopes, ...scopes];
}
