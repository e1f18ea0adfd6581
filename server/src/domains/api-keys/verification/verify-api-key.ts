import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { digestApiKey, isApiKey } from '../../../lib/api-key.ts';
import type { KeyHolder } from '../api-key-verifier.ts';
import { chargeApiKey, type ChargeOutcome } from './charge-api-key.ts';
import type { Verification, VerificationRequest } from './schemas.ts';

/** The application that asks, or null when whoever holds the key does. */
export type VerificationCaller = { secretId: string; clientId: string } | null;

/** Counts a use of a key, whatever it is, and says how often it was used in this minute. */
export type CountKeyUse = (digest: string) => Promise<{ used: number; resetSeconds: number }>;

type Use = { used: number; resetSeconds: number };

/**
 * Says what a presented key is, and spends with it if that is asked for: one round trip to the database,
 * which also asks whether the application that asks still may; without a charge, nothing is written. A key
 * that does not count, is used too often, or may not spend that, is an answer (`valid: false` with a `code`),
 * no refusal. Throws `auth.application_invalid`, and `request.invalid` when an application charges in another
 * name than its own.
 */
export async function verifyApiKey(
  ctx: Ctx,
  { key, charge }: VerificationRequest,
  caller: VerificationCaller,
  countKeyUse: CountKeyUse,
): Promise<Verification> {
  if (charge) assertOwnName(caller, charge.appId);
  if (!isApiKey(key)) return invalid('malformed');
  const digest = digestApiKey(key);
  const known = ctx.apiKeys.recall(digest);
  // A key that nobody here has seen may have a limit, and it is the database that will know.
  const use = known?.rateLimit === null ? undefined : await countKeyUse(digest.toString('base64url'));
  if (known && isTooOften(known, use)) return { ...invalid('rate_limited'), rateLimit: limitOf(known, use) };

  const callerId = caller?.secretId ?? null;
  const outcome: ChargeOutcome = charge
    ? await chargeApiKey(ctx, { digest, callerId, charge, used: use?.used ?? null, known })
    : { verdict: await ctx.apiKeys.verify({ digest, callerId }), charge: null, refusal: null };
  const { verdict } = outcome;
  if (!verdict.callerLives) throw new AppError('auth.application_invalid');
  if (verdict.keyId === undefined || isDead(verdict.code)) return invalid(verdict.code ?? 'unknown');
  const holder = known ?? ctx.apiKeys.remember(digest, verdict);
  ctx.apiKeys.noteUse(holder.keyId);
  const code = verdict.code ?? (isTooOften(holder, use) ? 'rate_limited' : 'valid');
  return toVerification({ ...outcome, code, rateLimit: limitOf(holder, use) });
}

/** Codes of keys that do not count; nothing more is said of them. */
const deadCodes = new Set(['unknown', 'revoked', 'expired', 'owner_inactive']);
const isDead = (code: string | null): boolean => code !== null && deadCodes.has(code);

function assertOwnName(caller: VerificationCaller, appId: string): void {
  if (caller === null || caller.clientId === appId) return;
  const message = `must be your client id, ${caller.clientId}`;
  throw new AppError('request.invalid', { errors: [{ path: '/body/charge/appId', message }] });
}

function isTooOften({ rateLimit }: KeyHolder, use: Use | undefined): boolean {
  return rateLimit !== null && use !== undefined && use.used > rateLimit;
}

function limitOf({ rateLimit }: KeyHolder, use: Use | undefined): Verification['rateLimit'] {
  if (rateLimit === null || use === undefined) return null;
  return {
    limit: rateLimit,
    remaining: Math.max(0, rateLimit - use.used),
    resetSeconds: use.resetSeconds,
  };
}

function invalid(code: string): Verification {
  return {
    valid: false,
    code,
    keyId: null,
    name: null,
    userId: null,
    applicationId: null,
    scopes: [],
    expiresAt: null,
    rateLimit: null,
    budget: null,
    charge: null,
    refusal: null,
  };
}

type Said = ChargeOutcome & { code: string; rateLimit: Verification['rateLimit'] };

function toVerification({ verdict, code, rateLimit, charge, refusal }: Said): Verification {
  const {
    keyId = null,
    name = null,
    userId = null,
    applicationId = null,
    scopes = [],
    budget = null,
  } = verdict;
  return {
    valid: code === 'valid',
    code,
    keyId,
    name,
    userId,
    applicationId,
    scopes,
    expiresAt: isoOf(verdict.expiresAt),
    rateLimit,
    budget: budget && { ...budget, resetsAt: isoOf(budget.resetsAt) },
    charge,
    refusal,
  };
}

/** A time of the database in the form of the API. */
function isoOf(time: string | null | undefined): string | null {
  return time === null || time === undefined ? null : new Date(time).toISOString();
}
