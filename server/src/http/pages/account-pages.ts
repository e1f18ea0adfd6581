import { Type } from 'typebox';
import type { Problem } from '../../../../web/src/page.ts';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { requestPasswordReset, resetPassword, verifyEmail } from '../../domains/auth/index.ts';
import { emailSchema } from '../../domains/users/index.ts';
import { AppError } from '../../errors.ts';
import { csrfField, requireCsrfToken } from '../csrf.ts';
import { limits } from '../limits.ts';
import { originOf } from '../origin.ts';
import { addPages } from './page-scope.ts';
import { reactPageRoute, sendReactPage } from './react-page.ts';

const linkQuery = Type.Object({
  token: Type.Optional(Type.String({ maxLength: 200 })),
  done: Type.Optional(Type.String()),
});
const tokenForm = Type.Object({ token: Type.String({ minLength: 1, maxLength: 200 }) });
const resetForm = Type.Object({
  token: Type.String({ minLength: 1, maxLength: 200 }),
  newPassword: Type.String({ minLength: 1, maxLength: 4096 }),
});
const addressForm = Type.Object({ email: emailSchema });

const { schema } = reactPageRoute;
const signInUrl = '/sign-in';
const forgotPasswordUrl = '/forgot-password';

/**
 * The pages that the links in mails open. Opening one changes nothing; its form posts, so that a mail scanner
 * that follows links uses none up. They work without JavaScript.
 */
export function addAccountPages(app: App, ctx: Ctx): void {
  addPages(app, (pages) => {
    addVerifyPage(pages, ctx);
    addResetPage(pages, ctx);
    addForgotPage(pages, ctx);
  });
}

function addVerifyPage(pages: App, ctx: Ctx): void {
  const path = '/verify-email';
  pages.get(path, { schema: { ...schema, querystring: linkQuery } }, (request, reply) => {
    const { token = '', done } = request.query;
    const form = { action: path, hidden: { ...csrfField(ctx, request, reply), token } };
    return sendReactPage(reply, { name: 'verify-email', form, isDone: done !== undefined, signInUrl });
  });
  pages.post(
    path,
    {
      preHandler: requireCsrfToken(ctx),
      config: { limit: limits.verifyEmail },
      schema: { ...schema, body: tokenForm },
    },
    async (request, reply) => {
      await verifyEmail(ctx, request.body, originOf(request));
      return reply.redirect(`${path}?done`, 303);
    },
  );
}

function addResetPage(pages: App, ctx: Ctx): void {
  const path = '/reset-password';
  const pageFor = (
    hidden: Record<string, string>,
    { isDone = false, problem = null as Problem | null } = {},
  ) => ({
    name: 'reset-password' as const,
    form: { action: path, hidden },
    isDone,
    signInUrl,
    forgotPasswordUrl,
    problem,
  });
  pages.get(path, { schema: { ...schema, querystring: linkQuery } }, (request, reply) => {
    const { token = '', done } = request.query;
    const hidden = { ...csrfField(ctx, request, reply), token };
    return sendReactPage(reply, pageFor(hidden, { isDone: done !== undefined }));
  });
  pages.post(
    path,
    {
      preHandler: requireCsrfToken(ctx),
      config: { limit: limits.resetPassword, errorLinks: ['forgot-password'] },
      schema: { ...schema, body: resetForm },
    },
    async (request, reply) => {
      const refusal = await refusalOf(() => resetPassword(ctx, request.body, originOf(request)));
      if (!refusal) return reply.redirect(`${path}?done`, 303);
      const problem = problemOf(refusal, 'newPassword');
      const hidden = { ...csrfField(ctx, request, reply), token: request.body.token };
      return sendReactPage(reply, pageFor(hidden, { problem }), { status: refusal.status });
    },
  );
}

function addForgotPage(pages: App, ctx: Ctx): void {
  const path = forgotPasswordUrl;
  pages.get(path, { schema: { ...schema, querystring: linkQuery } }, (request, reply) =>
    sendReactPage(reply, {
      name: 'forgot-password',
      form: { action: path, hidden: csrfField(ctx, request, reply) },
      email: '',
      isSent: request.query.done !== undefined,
      signInUrl,
      problem: null,
    }),
  );
  pages.post(
    path,
    {
      preHandler: requireCsrfToken(ctx),
      config: { limit: limits.forgotPassword, errorLinks: ['forgot-password'] },
      schema: { ...schema, body: addressForm },
    },
    async (request, reply) => {
      await requestPasswordReset(ctx, request.body, originOf(request));
      return reply.redirect(`${path}?done`, 303);
    },
  );
}

/** Why the new password was refused, if that is all that is wrong: the form comes again. */
async function refusalOf(work: () => Promise<void>): Promise<AppError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof AppError && error.code === 'auth.password_unacceptable') return error;
    throw error;
  }
}

function problemOf({ code, options }: AppError, field: string): Problem {
  const detail = options.errors?.[0]?.message;
  return { code, field, ...(detail === undefined ? {} : { detail }) };
}
