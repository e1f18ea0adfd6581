import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { limits } from '../../../http/limits.ts';
import { originOf } from '../../../http/origin.ts';
import { changePassword } from './change-password.ts';
import { requestPasswordReset } from './request-password-reset.ts';
import { resendVerification } from './resend-verification.ts';
import { resetPassword } from './reset-password.ts';
import { addressBody, changePasswordBody, done, resetPasswordBody, tokenBody } from './schemas.ts';
import { verifyEmail } from './verify-email.ts';
import { doneSchema } from '../schemas.ts';

const tags = ['auth'];
const response = { 200: doneSchema };
const sent = done('If the address has an account, a mail is on its way.');

/** Forgotten and changed passwords, and confirmed addresses. */
export function addRecoveryRoutes(app: App, ctx: Ctx): void {
  app.post(
    '/api/v1/auth/forgot-password',
    {
      config: { limit: limits.forgotPassword },
      schema: { tags, summary: 'Ask for a reset link by mail', body: addressBody, response },
    },
    async (request) => {
      await requestPasswordReset(ctx, request.body, originOf(request));
      return sent;
    },
  );

  app.post(
    '/api/v1/auth/reset-password',
    {
      config: { limit: limits.resetPassword },
      schema: { tags, summary: 'Set a new password by a reset link', body: resetPasswordBody, response },
    },
    async (request) => {
      await resetPassword(ctx, request.body, originOf(request));
      return done('The password is set. All devices have been signed out.');
    },
  );

  app.post(
    '/api/v1/auth/change-password',
    {
      preHandler: authenticate(ctx),
      config: { limit: limits.changePassword },
      schema: {
        tags,
        security: [{ bearer: [] }],
        summary: 'Change your password',
        body: changePasswordBody,
        response,
      },
    },
    async (request) => {
      await changePassword(ctx, callerOf(request), request.body, originOf(request));
      return done('The password is changed. All other devices have been signed out.');
    },
  );

  app.post(
    '/api/v1/auth/verify-email',
    {
      config: { limit: limits.verifyEmail },
      schema: { tags, summary: 'Confirm an address by its link', body: tokenBody, response },
    },
    async (request) => {
      await verifyEmail(ctx, request.body, originOf(request));
      return done('The address is confirmed.');
    },
  );

  app.post(
    '/api/v1/auth/resend-verification',
    {
      config: { limit: limits.resendVerification },
      schema: { tags, summary: 'Ask for the confirming link again', body: addressBody, response },
    },
    async (request) => {
      await resendVerification(ctx, request.body, originOf(request));
      return sent;
    },
  );
}
