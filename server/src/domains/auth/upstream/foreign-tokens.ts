import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import type { Config } from '../../../config.ts';
import type { Clock } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { TrustedIssuer } from '../../../identity-providers.ts';
import { fetchBounded } from '../../../lib/fetch-bounded.ts';

/** What a verified access token of another issuer says. */
export type ForeignClaims = JWTPayload & {
  iss: string;
  sub: string;
  iat: number;
  exp: number;
  cnf?: { jkt?: string };
};

export type ForeignTokens = {
  /** Whether a token says that it is of an issuer that is trusted here. Nothing of it is verified. */
  isForeign(token: string): boolean;
  /**
   * Verifies signature, algorithm, type, issuer, audience and times. Throws `auth.token_invalid`,
   * `auth.upstream_unavailable`.
   */
  verify(token: string): Promise<ForeignClaims>;
  /** Asks the issuer who the bearer is, where its discovery says how. */
  readProfile(claims: ForeignClaims, token: string): Promise<Record<string, unknown>>;
};

type Metadata = { issuer: string; userinfo: string | undefined; getKey: JWTVerifyGetKey };
type Remembered = { metadata: Promise<Metadata>; until: number };

/** Asymmetric ones only: with a shared secret, whoever verifies could sign. @see RFC 8725 §3.1 */
const algorithms = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');
const rememberedMs = 3_600_000;
/** After a failure the issuer is left alone for a while, however many tokens name it. */
const pauseMs = 5_000;
const toleranceSeconds = 5;
const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' };

/**
 * Bearer tokens of the issuers of the settings. Each issuer is found by discovery, at most once an hour; its
 * keys are kept for ten minutes, and read again for a key that is not among them, at most every 30 s. What is
 * asked is answered within 5 s. @see RFC 9068 §4, RFC 8725 §3
 */
export function createForeignTokens({ config, clock }: { config: Config; clock: Clock }): ForeignTokens {
  const trusted = new Map(config.trustedIssuers.map((one) => [one.issuer, one]));
  const find = (issuer: string | undefined) =>
    issuer === undefined || issuer === config.jwtIssuer ? undefined : trusted.get(issuer.replace(/\/$/, ''));
  const read = createMetadataReader(clock);
  return {
    isForeign: (token) => trusted.size > 0 && find(issuerIn(token)) !== undefined,
    async verify(token) {
      const issuer = find(issuerIn(token));
      if (!issuer) throw new AppError('auth.token_invalid', { headers: challenge });
      const metadata = await read(issuer);
      try {
        const { payload } = await verifyWith(metadata, issuer, token, clock.now());
        assertPersonal(payload, clientIdsOf(config, issuer));
        return payload as ForeignClaims;
      } catch (error) {
        throw new AppError(isOutage(error) ? 'auth.upstream_unavailable' : 'auth.token_invalid', {
          cause: error,
          ...(isOutage(error) ? {} : { headers: challenge }),
        });
      }
    },
    async readProfile({ iss, sub }, token) {
      const issuer = find(iss);
      const { userinfo } = issuer ? await read(issuer) : {};
      return userinfo === undefined ? {} : askProfile(userinfo, token, sub);
    },
  };
}

function issuerIn(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

function createMetadataReader(clock: Clock): (issuer: TrustedIssuer) => Promise<Metadata> {
  const remembered = new Map<string, Remembered>();
  return ({ issuer }) => {
    const now = clock.now().getTime();
    const known = remembered.get(issuer);
    if (known && known.until > now) return known.metadata;
    const metadata = discover(issuer);
    const entry = { metadata, until: now + rememberedMs };
    remembered.set(issuer, entry);
    metadata.catch(() => {
      entry.until = now + pauseMs;
    });
    return metadata;
  };
}

/** @see OpenID Connect Discovery 1.0 §4.3 */
async function discover(issuer: string): Promise<Metadata> {
  try {
    const response = await fetchBounded(`${issuer}/.well-known/openid-configuration`);
    if (response.status !== 200) throw new TypeError(`discovery answers ${response.status}`);
    const document = (await response.json()) as Record<string, unknown>;
    const { issuer: named, jwks_uri: jwks, userinfo_endpoint: userinfo } = document;
    if (typeof named !== 'string' || named.replace(/\/$/, '') !== issuer)
      throw new TypeError('discovery names another issuer');
    const jwksUrl = new URL(String(jwks));
    const isSecure = (url: URL) => url.protocol === 'https:' || issuer.startsWith('http:');
    if (!isSecure(jwksUrl)) throw new TypeError('the keys are not behind TLS');
    return {
      issuer: named,
      userinfo: typeof userinfo === 'string' && isSecure(new URL(userinfo)) ? userinfo : undefined,
      getKey: createRemoteJWKSet(jwksUrl, { [customFetch]: fetchBounded, timeoutDuration: 5_000 }),
    };
  } catch (error) {
    throw new AppError('auth.upstream_unavailable', { cause: error });
  }
}

function verifyWith(
  { issuer, getKey }: Metadata,
  { audiences }: TrustedIssuer,
  token: string,
  currentDate: Date,
): Promise<{ payload: JWTPayload }> {
  assertAccessToken(token);
  return jwtVerify(token, getKey, {
    algorithms,
    issuer,
    audience: [...audiences],
    currentDate,
    clockTolerance: toleranceSeconds,
    requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
  });
}

/**
 * Access tokens say so in their type; those of issuers that do not know the type yet say `JWT` or nothing,
 * and what must not stand in an access token tells ID tokens from them. Tokens that bring a key of their own
 * are refused. @see RFC 9068 §2.1, RFC 8725 §3.10, §3.11
 */
function assertAccessToken(token: string): void {
  const header = decodeProtectedHeader(token);
  if ('jku' in header || 'x5u' in header || 'jwk' in header || 'x5c' in header || 'crit' in header)
    throw new errors.JWTInvalid('the token brings a key of its own');
  const type = (header.typ ?? 'JWT').toLowerCase().replace(/^application\//, '');
  if (type === 'at+jwt') return;
  const claims = decodeJwt(token);
  const isOther = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'].some((name) => name in claims);
  const use = claims['token_use'] ?? claims['typ'] ?? 'access';
  if (type !== 'jwt' || isOther || typeof use !== 'string' || !/^(access|bearer)$/i.test(use))
    throw new errors.JWTInvalid('the token is not an access token');
}

/** ID tokens are for the client, and applications that ask for themselves are nobody. @see RFC 9068 §5 */
function assertPersonal(payload: JWTPayload, clientIds: string[]): void {
  const { sub = '', aud = [], iat = 0, exp = 0, gty, client_id: clientId, azp } = payload;
  const isForClient = [aud].flat().some((one) => clientIds.includes(one));
  const isApplication = gty === 'client-credentials' || sub === clientId || sub === azp;
  if (isForClient || isApplication || sub === '' || sub.length > 255 || !(exp > iat))
    throw new errors.JWTInvalid('the token does not stand for a person');
}

function clientIdsOf({ identityProviders }: Config, { issuer }: TrustedIssuer): string[] {
  return identityProviders
    .filter((provider) => provider.issuer.replace(/\/$/, '') === issuer)
    .map(({ clientId }) => clientId);
}

/** Whether the keys could not be read, which says nothing about the token. */
function isOutage(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof DOMException) return true;
  if (error instanceof TypeError) return /^(fetch failed|the answer is too large)$/.test(error.message);
  // jose says no more of an answer that is not 200.
  return error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC';
}

/** @see OpenID Connect Core 1.0 §5.3.2: the subject must be the same. */
async function askProfile(url: string, token: string, subject: string): Promise<Record<string, unknown>> {
  const response = await fetchBounded(url, { headers: { authorization: `Bearer ${token}` } }).catch(
    (error: unknown) => {
      throw new AppError('auth.upstream_unavailable', { cause: error });
    },
  );
  if (response.status !== 200) return {};
  const profile = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  return profile['sub'] === subject ? profile : {};
}
