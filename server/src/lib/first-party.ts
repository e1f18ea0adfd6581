/** `client_id` of the tokens that a person gets by signing in here; applications have their own. */
export const firstPartyClientId = 'obol';

/** `scope` of those tokens: everything that the account may do. */
export const firstPartyScope = 'account';
