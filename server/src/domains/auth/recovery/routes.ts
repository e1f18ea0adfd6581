import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { limits } from '../../../http/limits.ts';
import { originOf, signInOriginOf } from '../../../http/origin.ts';
import { sendSignInCookie } from '../../../http/sign-in-cookie.ts';
import { doneSchema } from '../schemas.ts';
import { changePassword } from './change-password.ts';
import { requestPasswordReset } from './request-password-reset.ts';
import { resendVerification } from './resend-verification.ts';
import { resetPassword } from './reset-password.ts';
import {
  addressBody,
  changedPasswordSchema,
  changePasswordBody,
  done,
  resetPasswordBody,
  tokenBody,
} from './schemas.ts';
import { verifyEmail } from './verify-email.ts';

const open = { tags: ['auth'], security: [] };
const response = { 200: doneSchema };
const sent = done('If the address has an account, a mail is on its way.');

/** Forgotten and changed passwords, and confirmed addresses. */
export function addRecoveryRoutes(app: App, ctx: Ctx): void {
  addPasswordRoutes(app, ctx);
  addVerificationRoutes(app, ctx);
}

function addPasswordRoutes(app: App, ctx: Ctx): void {
  const forgotSchema = {
    ...open,
    summary: 'Ask for a reset link by mail',
    description: 'The answer, and its time, are the same whether or not the address has an account.',
    body: addressBody,
    response,
  };
  app.post(
    '/api/v1/auth/forgot-password',
    { config: { limit: limits.forgotPassword }, schema: forgotSchema },
    async (request) => {
      await requestPasswordReset(ctx, request.body, originOf(request));
      return sent;
    },
  );

  const resetSchema = {
    ...open,
    summary: 'Set a new password by a reset link',
    description: 'Ends every session and signs nobody in, so that a second factor is asked for as ever.',
    body: resetPasswordBody,
    response,
  };
  app.post(
    '/api/v1/auth/reset-password',
    { config: { limit: limits.resetPassword }, schema: resetSchema },
    async (request) => {
      await resetPassword(ctx, request.body, originOf(request));
      return done('The password is set. All devices have been signed out.');
    },
  );

  const changeSchema = {
    tags: ['auth'],
    security: [{ bearer: [] }],
    summary: 'Change your password',
    description:
      'Ends every session. This device goes on with the tokens and the cookie of the answer. A wrong current password ' +
      'is `auth.password_wrong`.',
    body: changePasswordBody,
    response: { 200: changedPasswordSchema },
  };
  app.post(
    '/api/v1/auth/change-password',
    { preHandler: authenticate(ctx), config: { limit: limits.changePassword }, schema: changeSchema },
    async (request, reply) => {
      const { tokens, cookie } = await changePassword(
        ctx,
        callerOf(request),
        request.body,
        signInOriginOf(request),
      );
      sendSignInCookie(ctx.config, reply, cookie);
      return { ...done('The password is changed. All other devices have been signed out.'), ...tokens };
    },
  );
}

function addVerificationRoutes(app: App, ctx: Ctx): void {
  const verifySchema = {
    ...open,
    summary: 'Confirm an address by its link',
    description:
      'The link of the mail opens a page whose button does this, so that mail scanners use none up.',
    body: tokenBody,
    response,
  };
  app.post(
    '/api/v1/auth/verify-email',
    { config: { limit: limits.verifyEmail }, schema: verifySchema },
    async (request) => {
      await verifyEmail(ctx, request.body, originOf(request));
      return done('The address is confirmed.');
    },
  );

  const resendSchema = {
    ...open,
    summary: 'Ask for the confirming link again',
    description: 'The answer is the same whether or not an account waits for confirmation.',
    body: addressBody,
    response,
  };
  app.post(
    '/api/v1/auth/resend-verification',
    { config: { limit: limits.resendVerification }, schema: resendSchema },
    async (request) => {
      await resendVerification(ctx, request.body, originOf(request));
      return sent;
    },
  );
}
