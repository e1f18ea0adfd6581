import type { FastifyReply } from 'fastify';
import { Type, type Static } from 'typebox';
import type { PersonAction } from '../../../../../web/src/admin-pages.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import type { RequestOrigin } from '../../../domains/audit/index.ts';
import {
  endSessionsOf,
  impersonateUser,
  resetFactorsOf,
  stopImpersonating,
} from '../../../domains/auth/index.ts';
import { adjustCreditsOf, readCreditsOf } from '../../../domains/credits/index.ts';
import { banUser, changeRole, deactivateAccount, reactivateAccount } from '../../../domains/users/index.ts';
import { AppError } from '../../../errors.ts';
import { parseDecimal } from '../../../lib/amount-text.ts';
import { linePattern } from '../../../lib/line.ts';
import { sendLookingCookie } from '../looking.ts';

const text = (maxLength: number) => Type.Optional(Type.String({ maxLength }));

/** What any form of the page may hold. What is typed is judged where it is used: then it can come again. */
export const personForm = Type.Object({
  reason: text(500),
  amount: text(30),
  until: text(30),
  role: text(10),
  /** Of a movement of credits: the form is sent twice, and booked once. */
  key: Type.Optional(Type.String({ maxLength: 64, pattern: '^[\\w-]+$' })),
});

export type PersonForm = Static<typeof personForm>;

/** Who does something about whom. */
export type Deed = {
  caller: Caller;
  origin: RequestOrigin;
  userId: string;
  form: PersonForm;
  reply: FastifyReply;
};

type TakeAction = (ctx: Ctx, deed: Deed) => Promise<unknown>;

/** What each form does; all of it is in the audit trail. They throw what the calls of the API throw. */
export const takeAction: Record<PersonAction, TakeAction> = {
  look: lookAt,
  credits: (ctx, { caller, origin, userId, form }) =>
    adjustCreditsOf(
      ctx,
      { ...caller, ipAddress: origin.ipAddress },
      {
        userId,
        amount: readAmount(ctx, form.amount),
        description: requireReason(form),
        ...(form.key === undefined ? {} : { idempotencyKey: form.key }),
      },
    ),
  role: (ctx, deed) => changeRole(ctx, deed, readCreditsOf, { ...whyOf(deed), role: readRole(deed.form) }),
  'sign-out': (ctx, deed) => endSessionsOf(ctx, deed.caller, whyOf(deed), deed.origin),
  'reset-factors': (ctx, { caller, origin, userId, form }) =>
    resetFactorsOf(ctx, caller, { userId, reason: requireReason(form) }, origin),
  deactivate: (ctx, deed) => deactivateAccount(ctx, deed, whyOf(deed)),
  ban: (ctx, deed) =>
    banUser(ctx, deed, readCreditsOf, {
      userId: deed.userId,
      reason: requireReason(deed.form),
      until: readDay(deed.form),
    }),
  reactivate: (ctx, deed) => reactivateAccount(ctx, deed, readCreditsOf, whyOf(deed)),
};

function whyOf({ userId, form }: Deed): { userId: string; reason?: string } {
  const reason = readReason(form);
  return reason === '' ? { userId } : { userId, reason };
}

function readReason({ reason = '' }: PersonForm): string {
  const trimmed = reason.trim();
  if (!new RegExp(linePattern, 'u').test(trimmed)) throw invalid('reason', 'must be one line of plain text');
  return trimmed;
}

function requireReason(form: PersonForm): string {
  const reason = readReason(form);
  if (reason === '') throw invalid('reason', 'must say why');
  return reason;
}

function readRole({ role }: PersonForm): 'user' | 'admin' {
  if (role !== 'user' && role !== 'admin') throw invalid('role', 'must be user or admin');
  return role;
}

/** The units of what is typed in credits, below 0 to take them. Throws `request.invalid`. */
function readAmount({ config }: Ctx, typed = ''): number {
  const [, sign, digits = ''] = /^([-−+]?)(.*)$/.exec(typed.trim()) ?? [];
  const units = parseDecimal(digits, config.creditsScale);
  if (units === undefined || units === 0) throw invalid('amount', 'must be a number of credits other than 0');
  return sign === '-' || sign === '−' ? -units : units;
}

/** The day that is typed, null for none. Throws `request.invalid` for what is not one, as 30 February. */
function readDay({ until = '' }: PersonForm): string | null {
  const day = until.trim();
  if (day === '') return null;
  const time = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(day)) {
    throw invalid('until', 'must be a day, as 2026-12-24');
  }
  return day;
}

function invalid(field: keyof PersonForm, message: string): AppError {
  return new AppError('request.invalid', { errors: [{ path: `/body/${field}`, message }] });
}

/** From here on the pages that are only read are those of this person, in this browser, and no others. */
async function lookAt(ctx: Ctx, { caller, origin, userId, form, reply }: Deed): Promise<void> {
  const reason = requireReason(form);
  const { accessToken, sessionId } = await impersonateUser(ctx, caller, { userId, reason }, origin);
  await stopImpersonating(ctx, caller, { except: sessionId });
  sendLookingCookie(reply, accessToken);
}
