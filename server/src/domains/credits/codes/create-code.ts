import type { Static } from 'typebox';
import type { Ctx } from '../../../ctx.ts';
import { violatedConstraint, type Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { newId } from '../../../lib/ids.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { assertAdministrator } from '../assert-administrator.ts';
import { codes } from '../code-tables.ts';
import { readInstant } from '../../../http/read-instant.ts';
import { hashCodeText, newCodeText } from './code-text.ts';
import type { CodeView, createCodeBodySchema } from './schemas.ts';
import { toCodeView } from './to-code-view.ts';

/**
 * Makes a code that people redeem for credits. Without a text of the administrator's own it is a secret of
 * 100 bits that is shown this once and kept as a digest. Throws `request.invalid`, `auth.session_ended`,
 * `auth.admin_required`, `credits.code_taken`.
 */
export async function createCode(
  ctx: Ctx,
  caller: Caller,
  { code: chosenCode, expiresAt, ...terms }: Static<typeof createCodeBodySchema>,
  origin: RequestOrigin,
): Promise<CodeView & { code: string }> {
  const text = chosenCode ?? newCodeText(ctx.random);
  const row = {
    ...terms,
    id: newId(ctx),
    codeHash: Buffer.from(hashCodeText(text), 'hex'),
    chosenCode: chosenCode ?? null,
    lotLifetimeDays: terms.lotLifetimeDays ?? null,
    redeemed: 0,
    expiresAt: expiresAt === undefined ? null : new Date(readInstant(expiresAt, '/body/expiresAt')),
    revokedAt: null,
    createdBy: caller.userId,
    createdAt: ctx.clock.now(),
  };
  try {
    await ctx.db.asServiceFor(caller, async (tx) => {
      await assertAdministrator(tx, caller);
      await tx.insert(codes).values(row);
      await recordAuditEvent(
        ctx,
        tx,
        {
          action: 'credits.code_created',
          actor: { type: 'user', id: caller.userId },
          target: { type: 'code', id: row.id },
          reason: row.description,
          details: { amount: row.amount, redemptionsMax: row.redemptionsMax },
        },
        origin,
      );
    });
  } catch (error) {
    if (violatedConstraint(error) !== 'codes_code_hash_key') throw error;
    throw new AppError('credits.code_taken', { cause: error });
  }
  return { ...toCodeView(row), code: text };
}
