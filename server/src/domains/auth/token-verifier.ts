import { decodeProtectedHeader, jwtVerify, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import { AppError } from '../../errors.ts';
import { createBoundedMap } from '../../lib/bounded-map.ts';
import { firstPartyClientId } from '../../lib/first-party.ts';
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
  /** Only in tokens that a person got here themselves. */
  email?: string;
  role: 'user' | 'admin';
  client_id: string;
  scope: string;
  /** Who looks at the account of somebody else by this token. @see RFC 8693 §4.1 */
  act?: { sub: string };
  /** The key that the bearer has to prove possession of. @see RFC 9449 §6 */
  cnf?: { jkt?: string };
};

/** What every access token that we sign holds, whichever API it is for; an application's own has no `sid`. */
export type IssuedTokenClaims = Omit<AccessTokenClaims, 'sid' | 'email' | 'role' | 'scope' | 'act'> & {
  sid?: string;
  scope?: string;
  authorization_details?: Record<string, unknown>[];
};

/** How a verifier finds keys: among those it knows, or after reading them again. */
export type KeySource = { find(kid: string): SigningKey | undefined; reload(): Promise<void> };

const rememberedMax = 10_000;
const keyCharacters = 43;
/** An unknown `kid` makes the keys be read again, but forged ones must not make us read all the time. */
const reloadPauseMs = 5_000;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Which tokens pass: those by which an administrator acts as somebody else only where that is meant. */
export type AcceptedTokens = { impersonation?: boolean };

/**
 * Verifies access tokens and remembers those that passed until they expire, a bounded number of them. Whether
 * the session still lives is not asked here but by the SQL that does the work. Throws `auth.token_invalid`.
 * @see RFC 9068 §4, RFC 8725 §3
 */
export function createTokenVerifier(
  context: KeyContext,
  keys: KeySource,
): (token: string, accepted?: AcceptedTokens) => Promise<AccessTokenClaims> {
  const remembered = createBoundedMap<{ token: string; claims: AccessTokenClaims }>(rememberedMax);
  const verify = createSignatureVerifier(context, keys);
  return async (token, { impersonation = false } = {}) => {
    // Looked up by the end of its signature, for a text is read from one end to the other to look it up.
    const key = token.slice(-keyCharacters);
    const known = remembered.get(key);
    if (known?.token === token) {
      if (known.claims.exp * 1000 > context.clock.now().getTime()) {
        return accept(known.claims, impersonation);
      }
      remembered.delete(key);
    }
    const claims = await verify(token, context.config.jwtAudience, toClaims);
    remembered.set(key, { token, claims });
    return accept(claims, impersonation);
  };
}

function accept(claims: AccessTokenClaims, impersonation: boolean): AccessTokenClaims {
  if (claims.act === undefined || impersonation) return claims;
  throw new AppError('auth.impersonation_forbidden');
}

/**
 * Verifies that an access token is one of ours and has not expired, for whichever API it is: what
 * introspection and revocation begin with. Throws `auth.token_invalid`.
 */
export function createIssuedTokenVerifier(
  context: KeyContext,
  keys: KeySource,
): (token: string) => Promise<IssuedTokenClaims> {
  const verify = createSignatureVerifier(context, keys);
  return (token) => verify(token, undefined, (payload) => payload as IssuedTokenClaims);
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

type Verify = <T>(
  token: string,
  audience: string | undefined,
  read: (payload: JWTPayload) => T,
) => Promise<T>;

function createSignatureVerifier(context: KeyContext, keys: KeySource): Verify {
  const { config, clock } = context;
  const findKey = createKeyFinder(context, keys);
  return async (token, audience, read) => {
    const kid = readKid(token);
    const key = kid === undefined ? undefined : await findKey(kid);
    if (key?.publicJwk.alg !== signingAlgorithm)
      throw new AppError('auth.token_invalid', { headers: challenge });
    try {
      const { payload } = await jwtVerify(token, key.publicKey, {
        algorithms: [signingAlgorithm],
        typ: accessTokenType,
        issuer: config.jwtIssuer,
        ...(audience === undefined ? {} : { audience }),
        currentDate: clock.now(),
        requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
      });
      return read(payload);
    } catch (error) {
      throw new AppError('auth.token_invalid', { cause: error, headers: challenge });
    }
  };
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
 * Checks the shape of what we rely on; only our own keys get here, so a failure means another kind of
 * token. An application acts for a person as an ordinary user: `role` of its tokens is the role in the
 * application.
 */
function toClaims(payload: JWTPayload): AccessTokenClaims {
  const { sub, sid, aud, email, role, client_id: clientId } = payload;
  const isFirstParty = clientId === firstPartyClientId;
  const isOurs =
    typeof aud === 'string' &&
    (!isFirstParty || (typeof email === 'string' && (role === 'user' || role === 'admin'))) &&
    [sub, sid].every((id) => typeof id === 'string' && uuidPattern.test(id));
  if (!isOurs) throw new Error('The token is not one of a signed-in person');
  const claims = payload as AccessTokenClaims;
  return isFirstParty ? claims : { ...claims, role: 'user', scope: claims.scope ?? '' };
}
