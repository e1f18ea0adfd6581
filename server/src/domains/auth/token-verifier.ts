import { decodeProtectedHeader, jwtVerify, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import { AppError } from '../../errors.ts';
import { accessTokenType, signingAlgorithm, type KeyContext, type SigningKey } from './signing-keys.ts';

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
  client_id: string;
  scope: string;
};

/** How a verifier finds keys: among those it knows, or after reading them again. */
export type KeySource = { find(kid: string): SigningKey | undefined; reload(): Promise<void> };

const rememberedMax = 10_000;
/** An unknown `kid` makes the keys be read again, but forged ones must not make us read all the time. */
const reloadPauseMs = 5_000;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Verifies access tokens and remembers those that passed until they expire, a bounded number of them. Whether
 * the session still lives is not asked here but by the SQL that does the work. Throws `auth.token_invalid`.
 * @see RFC 9068 §4, RFC 8725 §3
 */
export function createTokenVerifier(
  context: KeyContext,
  keys: KeySource,
): (token: string) => Promise<AccessTokenClaims> {
  const remembered = new Map<string, AccessTokenClaims>();
  const findKey = createKeyFinder(context, keys);
  return async (token) => {
    const known = remembered.get(token);
    if (known && known.exp * 1000 > context.clock.now().getTime()) return known;
    remembered.delete(token);
    const claims = await verify(context, findKey, token);
    if (remembered.size >= rememberedMax) {
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest);
        break;
      }
    }
    remembered.set(token, claims);
    return claims;
  };
}

type FindKey = (kid: string) => Promise<SigningKey | undefined>;

function createKeyFinder({ clock }: KeyContext, keys: KeySource): FindKey {
  let reloadedAt = 0;
  return async (kid) => {
    const known = keys.find(kid);
    if (known || clock.now().getTime() - reloadedAt < reloadPauseMs) return known;
    reloadedAt = clock.now().getTime();
    await keys.reload();
    return keys.find(kid);
  };
}

async function verify(
  { config, clock }: KeyContext,
  findKey: FindKey,
  token: string,
): Promise<AccessTokenClaims> {
  const kid = readKid(token);
  const key = kid === undefined ? undefined : await findKey(kid);
  if (!key) throw new AppError('auth.token_invalid', { headers: challenge });
  try {
    const { payload } = await jwtVerify(token, key.publicKey, {
      algorithms: [signingAlgorithm],
      typ: accessTokenType,
      issuer: config.jwtIssuer,
      audience: config.jwtAudience,
      currentDate: clock.now(),
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'sid', 'client_id'],
    });
    return toClaims(payload);
  } catch (error) {
    throw new AppError('auth.token_invalid', { cause: error, headers: challenge });
  }
}

const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' };

/**
 * The key a token names. Tokens that bring or point at a key of their own are refused. @see RFC 8725 §3.10
 */
function readKid(token: string): string | undefined {
  let header: ProtectedHeaderParameters;
  try {
    header = decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
  if ('jku' in header || 'x5u' in header || 'jwk' in header || 'x5c' in header) return undefined;
  return typeof header.kid === 'string' ? header.kid : undefined;
}

/**
 * Checks the shape of what we rely on; only our own keys get here, so a failure means another kind of token.
 */
function toClaims(payload: JWTPayload): AccessTokenClaims {
  const { sub, sid, aud, email, role } = payload;
  const isOurs =
    typeof aud === 'string' &&
    typeof email === 'string' &&
    (role === 'user' || role === 'admin') &&
    [sub, sid].every((id) => typeof id === 'string' && uuidPattern.test(id));
  if (!isOurs) throw new Error('The token is not one of a signed-in person');
  return payload as AccessTokenClaims;
}
