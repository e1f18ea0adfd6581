import type { JWK } from 'jose';

/** Claims of an access token of this service. */
export type AccessTokenClaims = {
  iss: string;
  sub: string;
  aud: string;
  iat: number;
  exp: number;
  jti: string;
  sid: string;
  email: string;
  role: 'user' | 'admin';
  client_id?: string;
  scope?: string;
};

/** The signing keys: signs with the current one, verifies with every published one. */
export type Keyring = {
  sign(claims: Record<string, unknown>, type?: string): Promise<string>;
  /** Verifies signature, type, issuer, audience and expiry. Throws `auth.token_invalid`. */
  verifyAccessToken(token: string): Promise<AccessTokenClaims>;
  jwks(): { keys: JWK[] };
  close(): void;
};
