import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { ErrorCode } from '../../../errors.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { limits } from '../../../http/limits.ts';
import { originOf } from '../../../http/origin.ts';
import { emailSchema } from '../../users/index.ts';
import { done, tokenBody } from '../recovery/schemas.ts';
import { currentPasswordSchema, doneSchema } from '../schemas.ts';
import { confirmEmailChange } from './confirm-email-change.ts';
import { requestEmailChange } from './request-email-change.ts';

const response = { 200: doneSchema };
const changeBody = Type.Object({ newEmail: emailSchema, password: currentPasswordSchema });

/** Giving an account another address. */
export function addEmailChangeRoutes(app: App, ctx: Ctx): void {
  const requestSchema = {
    tags: ['auth'],
    security: [{ bearer: [] }],
    summary: 'Change your address',
    description:
      'Sends a link to the new address, which confirms it, and tells the old one. Nothing changes until then.',
    body: changeBody,
    response,
  };
  const refusals: ErrorCode[] = ['auth.password_wrong', 'server.busy'];
  app.post(
    '/api/v1/auth/change-email',
    { preHandler: authenticate(ctx), config: { limit: limits.changeEmail, refusals }, schema: requestSchema },
    async (request) => {
      await requestEmailChange(ctx, callerOf(request), request.body, originOf(request));
      return done('If the new address has no account, a mail is on its way there.');
    },
  );

  const confirmSchema = {
    tags: ['auth'],
    security: [],
    summary: 'Confirm a new address by its link',
    description: 'The link of the mail opens a page whose button does this.',
    body: tokenBody,
    response,
  };
  const confirmRefusals: ErrorCode[] = ['auth.link_invalid', 'users.email_taken'];
  app.post(
    '/api/v1/auth/change-email/verify',
    { config: { limit: limits.verifyEmail, refusals: confirmRefusals }, schema: confirmSchema },
    async (request) => {
      await confirmEmailChange(ctx, request.body, originOf(request));
      return done('The address is changed.');
    },
  );
}
