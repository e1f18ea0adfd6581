import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { newId } from '../../../lib/ids.ts';
import type { RequestOrigin } from '../../audit/index.ts';
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
 * `auth.token_invalid`, `auth.session_ended`, `auth.account_deactivated`, `auth.upstream_email_missing`,
 * `auth.upstream_email_taken`, `auth.upstream_unavailable`. @see RFC 9068 §4
 */
export function createTokenAcceptor(ctxOf: () => Ctx): AcceptToken {
  const remembered = new Map<string, Remembered>();
  return async (token, origin) => {
    const ctx = ctxOf();
    const known = remembered.get(token);
    if (known && known.until > ctx.clock.now().getTime()) return known.accepted;
    const accepted = acceptToken(ctx, token, origin);
    const entry = { accepted, until: Number.POSITIVE_INFINITY };
    if (remembered.size >= rememberedMax) forgetOldest(remembered);
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

function forgetOldest(remembered: Map<string, unknown>): void {
  for (const oldest of remembered.keys()) {
    remembered.delete(oldest);
    return;
  }
}

async function acceptToken(ctx: Ctx, token: string, origin: RequestOrigin): Promise<Accepted> {
  const claims = await ctx.upstream.tokens.verify(token);
  const entered =
    (await enterByAccount(ctx, claims, origin)) ?? (await addPerson(ctx, claims, token, origin));
  return { ...entered, claims };
}

type Row = {
  outcome: 'entered' | 'unknown' | 'deactivated' | 'ended';
  user_id: string;
  session_id: string;
  user_role: 'user' | 'admin';
};

const toDate = (seconds: number) => new Date(seconds * 1000);

/** Undefined when nobody has the account of the token. */
async function enterByAccount(
  ctx: Ctx,
  { iss, sub, iat, exp, auth_time: authTime }: ForeignClaims,
  { ipAddress, userAgent }: RequestOrigin,
): Promise<(Caller & { role: 'user' | 'admin' }) | undefined> {
  // Without a word of the issuer, nothing that asks for a recent sign-in takes this for one.
  const authenticated =
    typeof authTime === 'number' && authTime <= iat ? toDate(authTime) : unknownAuthentication;
  const times = [toDate(iat), authenticated, toDate(exp)];
  const values = [iss, sub, ...times, newId(ctx), ipAddress, userAgent, ctx.clock.now()];
  const [row] = await ctx.db.call<Row>(
    'select * from auth.enter_by_account($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    values,
  );
  if (row?.outcome === 'deactivated') throw new AppError('auth.account_deactivated');
  if (row?.outcome === 'ended') throw new AppError('auth.session_ended');
  if (row?.outcome !== 'entered') return undefined;
  return { userId: row.user_id, sessionId: row.session_id, role: row.user_role };
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
