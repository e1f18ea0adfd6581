import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import type { PersonAction } from '../../../../../web/src/admin-pages.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { endSessionsOf, impersonateUser, logOut, resetFactorsOf } from '../../../domains/auth/index.ts';
import { adjustCreditsOf, readCreditsOf } from '../../../domains/credits/index.ts';
import { banUser, changeRole, deactivateAccount, reactivateAccount } from '../../../domains/users/index.ts';
import { AppError } from '../../../errors.ts';
import { parseDecimal } from '../../../lib/amount-text.ts';
import { linePattern } from '../../../lib/line.ts';
import { originOf } from '../../origin.ts';
import { findLookedAt, sendLookingCookie } from '../looking.ts';

const text = (maxLength: number) => Type.Optional(Type.String({ maxLength, pattern: linePattern }));

/** What any form of the page may hold. */
export const personForm = Type.Object({
  reason: text(500),
  amount: text(30),
  until: Type.Optional(Type.String({ pattern: '^(\\d{4}-\\d{2}-\\d{2})?$' })),
  role: Type.Optional(Type.Enum(['user', 'admin'])),
  /** Of a movement of credits: the form is sent twice, and booked once. */
  key: text(64),
});

export type PersonForm = Static<typeof personForm>;

/** Who does something about whom, and in which browser. */
export type Deed = {
  caller: Caller;
  userId: string;
  form: PersonForm;
  request: FastifyRequest;
  reply: FastifyReply;
};

type TakeAction = (ctx: Ctx, deed: Deed) => Promise<unknown>;

/** What each form does; all of it is in the audit trail. They throw what the calls of the API throw. */
export const takeAction: Record<PersonAction, TakeAction> = {
  look: lookAt,
  credits: (ctx, { caller, userId, form, request }) =>
    adjustCreditsOf(
      ctx,
      { ...caller, ipAddress: originOf(request).ipAddress },
      {
        userId,
        amount: readAmount(ctx, form.amount),
        description: requireReason(form),
        ...(form.key === undefined ? {} : { idempotencyKey: form.key }),
      },
    ),
  role: (ctx, deed) =>
    changeRole(ctx, administratorOf(deed), readCreditsOf, { ...whyOf(deed), role: deed.form.role ?? 'user' }),
  'sign-out': (ctx, deed) => endSessionsOf(ctx, deed.caller, whyOf(deed), originOf(deed.request)),
  'reset-factors': (ctx, { caller, userId, form, request }) =>
    resetFactorsOf(ctx, caller, { userId, reason: requireReason(form) }, originOf(request)),
  deactivate: (ctx, deed) => deactivateAccount(ctx, administratorOf(deed), whyOf(deed)),
  ban: (ctx, deed) =>
    banUser(ctx, administratorOf(deed), readCreditsOf, {
      userId: deed.userId,
      reason: requireReason(deed.form),
      until: deed.form.until === '' ? null : (deed.form.until ?? null),
    }),
  reactivate: (ctx, deed) => reactivateAccount(ctx, administratorOf(deed), readCreditsOf, whyOf(deed)),
};

const administratorOf = ({ caller, request }: Deed) => ({ caller, origin: originOf(request) });

function whyOf({ userId, form }: Deed): { userId: string; reason?: string } {
  const reason = form.reason?.trim() ?? '';
  return reason === '' ? { userId } : { userId, reason };
}

function requireReason({ reason = '' }: PersonForm): string {
  if (reason.trim() === '') throw invalid('reason', 'must say why');
  return reason.trim();
}

/** The units of what is typed in credits, below 0 to take them. Throws `request.invalid`. */
function readAmount({ config }: Ctx, typed = ''): number {
  const [, sign, digits = ''] = /^([-−+]?)(.*)$/.exec(typed.trim()) ?? [];
  const units = parseDecimal(digits, config.creditsScale);
  if (units === undefined || units === 0) throw invalid('amount', 'must be a number of credits other than 0');
  return sign === '-' || sign === '−' ? -units : units;
}

function invalid(field: keyof PersonForm, message: string): AppError {
  return new AppError('request.invalid', { errors: [{ path: `/body/${field}`, message }] });
}

/** From here on the pages that are only read are those of this person, in this browser. */
async function lookAt(ctx: Ctx, { caller, userId, form, request, reply }: Deed): Promise<void> {
  const reason = requireReason(form);
  const { accessToken, expiresIn } = await impersonateUser(
    ctx,
    caller,
    { userId, reason },
    originOf(request),
  );
  await stopLooking(ctx, request, reply, caller);
  sendLookingCookie(reply, { token: accessToken, ttlSeconds: expiresIn });
}

/** Ends that somebody looks at an account in this browser. Returns whose it was, if anybody's. */
export async function stopLooking(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
): Promise<string | undefined> {
  const lookedAt = await findLookedAt(ctx, request, caller);
  if (!lookedAt) return undefined;
  sendLookingCookie(reply);
  try {
    await logOut(ctx, lookedAt.caller, originOf(request));
  } catch (error) {
    // The person may have ended it.
    if (!(error instanceof AppError) || error.code !== 'auth.session_ended') throw error;
  }
  return lookedAt.caller.userId;
}
