/** Scopes of OpenID Connect that there are. */
export const identityScopes = ['openid', 'profile', 'email', 'offline_access'] as const;

/** What an application may do at the API of this service with a person's token. */
export const serviceScopes = ['credits:read', 'credits:spend'] as const;
