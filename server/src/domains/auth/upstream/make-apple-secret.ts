import { importPKCS8, SignJWT } from 'jose';
import type { Clock } from '../../../ctx.ts';
import type { IdentityProvider } from '../../../identity-providers.ts';

/** Twice as long as a provider is remembered, so that none in use has expired. */
const ttlSeconds = 7_200;

/**
 * The secret by which Apple knows us: a JWT that we sign with the key of the settings. Rejects when that key
 * is no P-256 key in PEM (PKCS #8). @see Sign in with Apple, "Creating a client secret"
 */
export async function makeAppleSecret(
  { clientId, issuer, apple: { teamId, keyId, privateKey } }: IdentityProvider,
  clock: Clock,
): Promise<string> {
  const key = await importPKCS8(privateKey, 'ES256');
  const issuedAt = Math.floor(clock.now().getTime() / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'ES256', kid: keyId })
    .setIssuer(teamId)
    .setSubject(clientId)
    .setAudience(issuer)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds)
    .sign(key);
}
