import { importPKCS8, SignJWT } from 'jose';
import type { ClientAuth } from 'openid-client';
import type { Clock } from '../../../ctx.ts';
import type { IdentityProvider } from '../../../identity-providers.ts';

const ttlSeconds = 300;

/**
 * Apple knows a client by a JWT in place of its secret, which we make anew for each request and sign with the
 * key of the settings. @see Sign in with Apple, "Creating a client secret"
 */
export function authenticateAtApple(
  { clientId, issuer, apple: { teamId, keyId, privateKey } }: IdentityProvider,
  clock: Clock,
): ClientAuth {
  return async (_server, _client, body) => {
    const key = await importPKCS8(privateKey, 'ES256');
    const issuedAt = Math.floor(clock.now().getTime() / 1000);
    const secret = await new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(teamId)
      .setSubject(clientId)
      .setAudience(issuer)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ttlSeconds)
      .sign(key);
    body.set('client_id', clientId);
    body.set('client_secret', secret);
  };
}
