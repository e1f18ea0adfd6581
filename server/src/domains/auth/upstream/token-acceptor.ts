import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { createBoundedMap } from '../../../lib/bounded-map.ts';
import { newId } from '../../../lib/ids.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { acrOf, type AuthenticationMethod } from '../sign-in/acr-of.ts';
import { findPerson } from './find-person.ts';
import type { ForeignClaims } from './foreign-tokens.ts';
import { toIdentity } from './identity.ts';

/** Whom a bearer token of another issuer stands for. */
export type Accepted = Caller & { role: 'user' | 'admin'; claims: ForeignClaims };

const rememberedMax = 10_000;
const unknownAuthentication = new Date(0);

/** See createTokenAcceptor. */
export type AcceptToken = (token: string, origin: RequestOrigin) => Promise<Accepted>;

/** A token that was accepted, or is being looked at: each is looked at once. */
type Remembered = { accepted: Promise<Accepted>; until: number };

/**
 * Finds the person for whom another issuer has made a bearer token, on the session that stands for such
 * tokens of theirs; on first sight they get an account and a wallet. A token is verified, its person looked
 * up once, and remembered until it expires, ten thousand of them at most: whether the session still lives is
 * asked by the SQL that does the work, so after the first time a token costs no round trip of its own. Throws
 * `auth.token_invalid`, `auth.session_ended`, `auth.account_deactivated`, `auth.second_factor_required`,
 * `auth.upstream_email_missing`, `auth.upstream_email_taken`, `auth.upstream_unavailable`. @see RFC 9068 §4
 */
export function createTokenAcceptor(ctxOf: () => Ctx): AcceptToken {
  const remembered = createBoundedMap<Remembered>(rememberedMax);
  return async (token, origin) => {
    const ctx = ctxOf();
    const known = remembered.get(token);
    if (known && known.until > ctx.clock.now().getTime()) return known.accepted;
    const accepted = acceptToken(ctx, token, origin);
    const entry = { accepted, until: Number.POSITIVE_INFINITY };
    remembered.set(token, entry);
    try {
      entry.until = (await accepted).claims.exp * 1000;
      return await accepted;
    } catch (error) {
      if (remembered.get(token) === entry) remembered.delete(token);
      throw error;
    }
  };
}

async function acceptToken(ctx: Ctx, token: string, origin: RequestOrigin): Promise<Accepted> {
  const claims = await ctx.upstream.tokens.verify(token);
  const entered =
    (await enterByAccount(ctx, claims, origin)) ?? (await addPerson(ctx, claims, token, origin));
  return { ...entered, claims };
}

type Row = {
  outcome: 'entered' | 'unknown' | 'deactivated' | 'factor_needed' | 'ended';
  user_id: string;
  session_id: string;
  user_role: 'user' | 'admin';
};

const toDate = (seconds: number) => new Date(seconds * 1000);

/** How the issuer says that the person has shown who they are. @see RFC 9068 §2.2.1, RFC 8176 §2 */
function methodsOf({ amr }: ForeignClaims): AuthenticationMethod[] {
  return Array.isArray(amr) && amr.includes('mfa') ? ['fed', 'mfa'] : ['fed'];
}

/** Undefined when nobody has the account of the token. */
async function enterByAccount(
  ctx: Ctx,
  claims: ForeignClaims,
  { ipAddress, userAgent }: RequestOrigin,
): Promise<(Caller & { role: 'user' | 'admin' }) | undefined> {
  const { iss, sub, iat, exp, auth_time: authTime } = claims;
  // Without a word of the issuer, nothing that asks for a recent sign-in takes this for one.
  const authenticated =
    typeof authTime === 'number' && authTime <= iat ? toDate(authTime) : unknownAuthentication;
  const times = [toDate(iat), authenticated, toDate(exp)];
  const methods = methodsOf(claims);
  const isEnough = ctx.config.trustedIssuersMfa || methods.includes('mfa');
  const details = { methods, acr: acrOf(methods), provider: iss };
  const values = [iss, sub, ...times, methods, isEnough, newId(ctx), ipAddress, userAgent, details];
  const [row] = await ctx.db.call<Row>(
    'select * from auth.enter_by_account($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
    [...values, ctx.clock.now()],
  );
  if (row?.outcome === 'deactivated') throw new AppError('auth.account_deactivated');
  if (row?.outcome === 'factor_needed') throw factorNeeded();
  if (row?.outcome === 'ended') throw new AppError('auth.session_ended');
  if (row?.outcome !== 'entered') return undefined;
  return { userId: row.user_id, sessionId: row.session_id, role: row.user_role };
}

/** There is nothing to go on with here: the way on is another token, or a sign-in of ours. */
function factorNeeded(): AppError {
  const detail =
    'You have a second factor here, and the token does not say that one was shown. Sign in here, or with a second ' +
    'factor at its issuer.';
  return new AppError('auth.second_factor_required', { detail, extensions: { methods: [] } });
}

async function addPerson(
  ctx: Ctx,
  claims: ForeignClaims,
  token: string,
  origin: RequestOrigin,
): Promise<Caller & { role: 'user' | 'admin' }> {
  const isComplete = typeof claims['email'] === 'string';
  const profile = isComplete ? {} : await ctx.upstream.tokens.readProfile(claims, token);
  await findPerson(ctx, toIdentity(claims.iss, { ...profile, ...claims }), origin);
  const entered = await enterByAccount(ctx, claims, origin);
  if (!entered) throw new AppError('auth.session_ended');
  return entered;
}
