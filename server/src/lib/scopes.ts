/** Scopes of OpenID Connect that there are. */
export const identityScopes = ['openid', 'profile', 'email', 'offline_access'] as const;

/** What an application may do at the API of this service with a person's token. */
export const serviceScopes = ['credits:read', 'credits:spend'] as const;

/** What an API key of a person may open: never more than reading the profile, and the wallet. */
export const personKeyScopes = ['profile', 'credits:read', 'credits:spend'] as const;

/** What an API key of an application may open, all of which its client secret opens as well. */
export const applicationKeyScopes = ['credits:spend', 'credits:refund', 'api-keys:verify'] as const;
