import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWK } from 'jose';
import type { Ctx } from '../ctx.ts';
import { AppError } from '../errors.ts';
import type { AccessTokenClaims } from '../domains/auth/index.ts';

const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
/** How old a proof may be, and how far ahead its maker's clock. */
const proofAgeMaxSeconds = 300;

export type PresentedToken = { scheme: 'bearer' | 'dpop'; token: string };

/**
 * The access token that a request brings, and by which scheme; the scheme is case-insensitive. @see RFC 6750
 * §2.1, RFC 9449 §7.1
 */
export function readPresentedToken(header: string | undefined): PresentedToken | undefined {
  const [, scheme = '', token] = /^(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(header ?? '') ?? [];
  if (token === undefined) return undefined;
  return { scheme: scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer', token };
}

/**
 * Refuses a token that is bound to a key, unless the request proves possession of that key: for this method
 * and address, for this token, just now, and for the first time. A token that is not bound comes as a plain
 * bearer token. Throws `auth.token_invalid`, `auth.proof_invalid`. @see RFC 9449 §4.3, §7
 */
export async function assertPossession(
  ctx: Ctx,
  request: FastifyRequest,
  { scheme, token }: PresentedToken,
  claims: Pick<AccessTokenClaims, 'cnf'>,
): Promise<void> {
  const thumbprint = claims.cnf?.jkt;
  if (thumbprint === undefined && scheme === 'bearer') return;
  if (thumbprint === undefined || scheme === 'bearer') throw new AppError('auth.token_invalid', { headers });
  const proof = request.headers['dpop'];
  if (typeof proof !== 'string') throw new AppError('auth.proof_invalid', { headers });
  const jti = await verifyProof(ctx, request, { proof, token, thumbprint });
  const proofHash = createHash('sha256').update(`${thumbprint}\0${jti}`).digest();
  const now = ctx.clock.now();
  const expiresAt = new Date(now.getTime() + 2 * proofAgeMaxSeconds * 1000);
  const values = [proofHash, expiresAt, now];
  const [row] = await ctx.db.call<{ fresh: boolean }>('select oauth.use_proof($1, $2, $3) as fresh', values);
  if (!row?.fresh) throw new AppError('auth.proof_invalid', { headers });
}

const headers = { 'www-authenticate': `DPoP error="invalid_token", algs="${algorithms.join(' ')}"` };

/** Returns the `jti` of the proof. */
async function verifyProof(
  { config, clock }: Ctx,
  request: FastifyRequest,
  { proof, token, thumbprint }: { proof: string; token: string; thumbprint: string },
): Promise<string> {
  try {
    const now = clock.now();
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms,
      typ: 'dpop+jwt',
      currentDate: now,
      requiredClaims: ['iat', 'jti', 'htm', 'htu', 'ath'],
    });
    const [path] = request.originalUrl.split('?');
    const ageSeconds = Math.abs(now.getTime() / 1000 - Number(payload.iat));
    const isRight =
      payload['htm'] === request.method &&
      withoutQuery(String(payload['htu'])) === new URL(path ?? '/', config.baseUrl).href &&
      payload['ath'] === createHash('sha256').update(token).digest('base64url') &&
      ageSeconds <= proofAgeMaxSeconds &&
      (await calculateJwkThumbprint(protectedHeader.jwk as JWK)) === thumbprint;
    if (!isRight) throw new Error('the proof is for something else');
    return String(payload.jti);
  } catch (error) {
    throw new AppError('auth.proof_invalid', { cause: error, headers });
  }
}

function withoutQuery(address: string): string | undefined {
  const url = URL.parse(address);
  if (!url) return undefined;
  url.search = '';
  url.hash = '';
  return url.href;
}
