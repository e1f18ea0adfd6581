import type { Ctx } from '../../ctx.ts';
import { openWallet } from '../credits/index.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { checkEmail, createUser, toUserObject, type UserObject } from '../users/index.ts';
import { assertAcceptablePassword } from './assert-acceptable-password.ts';
import { assertUnbreachedPassword } from './assert-unbreached-password.ts';
import { enqueueVerificationMail } from './recovery/resend-verification.ts';
import { recordSecurityEvent } from './record-security-event.ts';
import type { Registration } from './schemas.ts';
import { spendChallenge } from './spend-challenge.ts';
import { passwords } from './tables.ts';

/**
 * Makes an account with a password and its wallet, and the mail that confirms the address: all or nothing.
 * Nobody is signed in by it. Throws `auth.password_unacceptable`, `users.email_taken`,
 * `users.username_taken`, `server.busy`, and where registrations cost a solved challenge
 * `auth.work_required`, `auth.work_invalid`.
 */
export async function registerUser(
  ctx: Ctx,
  { email: givenEmail, password, name, username, proof }: Registration,
  origin: RequestOrigin,
): Promise<UserObject> {
  const email = checkEmail(givenEmail);
  assertAcceptablePassword(password, { email, username, name }, '/body/password');
  await spendChallenge(ctx, proof);
  await assertUnbreachedPassword(ctx, password, '/body/password');
  const hash = await ctx.passwords.hash(password);
  const registered = await ctx.db.asService(async (tx) => {
    const created = await createUser(ctx, tx, { email, name, username });
    const { id: userId, createdAt } = created;
    await tx.insert(passwords).values({ userId, hash, createdAt, updatedAt: createdAt });
    const bonus = await openWallet(ctx, tx, userId, { ipAddress: origin.ipAddress });
    await recordSecurityEvent(ctx, tx, { type: 'account.registered', userId }, origin);
    await enqueueVerificationMail(ctx, tx, { email, origin });
    return { created, bonus };
  });
  return toUserObject(registered.created, registered.bonus);
}
