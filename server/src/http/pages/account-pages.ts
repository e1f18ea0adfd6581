import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { requestPasswordReset, resetPassword, verifyEmail } from '../../domains/auth/index.ts';
import { emailSchema } from '../../domains/users/index.ts';
import { AppError, errorTable, type ErrorCode } from '../../errors.ts';
import { html, type Html } from '../../lib/html.ts';
import { limits } from '../limits.ts';
import { originOf } from '../origin.ts';
import { pagePolicy, pageRoute, sendPage } from './page.ts';

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

const verifyPath = '/verify-email';
const config = { contentSecurityPolicy: pagePolicy };

/**
 * The pages that the links in mails open. Opening one changes nothing; its form posts, so that a mail scanner
 * that follows links uses none up. They work without JavaScript.
 */
export function addAccountPages(app: App, ctx: Ctx): void {
  void app.register(async (scope) => {
    const pages = scope as unknown as App;
    pages.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      (_request: FastifyRequest, body: string, done: (error: null, form: unknown) => void) =>
        done(null, Object.fromEntries(new URLSearchParams(body))),
    );
    pages.setErrorHandler(answerWithPage);
    addVerifyPage(pages, ctx);
    addResetPage(pages, ctx);
    addForgotPage(pages, ctx);
  });
}

function addVerifyPage(pages: App, ctx: Ctx): void {
  const path = verifyPath;
  pages.get(path, { config, schema: { ...pageRoute.schema, querystring: linkQuery } }, (request, reply) => {
    const { token = '', done } = request.query;
    if (done !== undefined) {
      const body = html`<p>Thank you. You can close this page.</p>`;
      return sendPage(reply, { title: 'Your address is confirmed', body });
    }
    return sendPage(reply, { title: 'Confirm your address', body: verifyForm(path, token) });
  });
  pages.post(
    path,
    { config: { ...config, limit: limits.verifyEmail }, schema: { ...pageRoute.schema, body: tokenForm } },
    async (request, reply) => {
      await verifyEmail(ctx, request.body, originOf(request));
      return reply.redirect(`${path}?done`, 303);
    },
  );
}

function addResetPage(pages: App, ctx: Ctx): void {
  const path = '/reset-password';
  pages.get(path, { config, schema: { ...pageRoute.schema, querystring: linkQuery } }, (request, reply) => {
    const { token = '', done } = request.query;
    if (done !== undefined) {
      const body = html`<p>All devices have been signed out. Sign in with the new password.</p>`;
      return sendPage(reply, { title: 'Your password is set', body });
    }
    return sendPage(reply, { title: 'Choose a new password', body: passwordForm(path, token) });
  });
  pages.post(
    path,
    { config: { ...config, limit: limits.resetPassword }, schema: { ...pageRoute.schema, body: resetForm } },
    async (request, reply) => {
      const refusal = await refusalOf(() => resetPassword(ctx, request.body, originOf(request)));
      if (!refusal) return reply.redirect(`${path}?done`, 303);
      const body = passwordForm(path, request.body.token, refusal.options.errors?.[0]?.message);
      return sendPage(reply, { title: 'Choose a new password', body, status: refusal.status });
    },
  );
}

function addForgotPage(pages: App, ctx: Ctx): void {
  const path = '/forgot-password';
  pages.get(path, { config, schema: { ...pageRoute.schema, querystring: linkQuery } }, (request, reply) => {
    if (request.query.done !== undefined) {
      const body = html`<p>If the address has an account, a mail with a link is on its way.</p>`;
      return sendPage(reply, { title: 'Look into your mailbox', body });
    }
    return sendPage(reply, { title: 'Forgot your password?', body: addressFormOf(path) });
  });
  pages.post(
    path,
    {
      config: { ...config, limit: limits.forgotPassword },
      schema: { ...pageRoute.schema, body: addressForm },
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

/** Every refusal of these routes is a page too; what is nobody's doing goes on to the general handler. */
function answerWithPage(
  error: FastifyError | AppError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const isClientError = error instanceof AppError || (error.statusCode ?? 500) < 500;
  if (!isClientError) throw error;
  const refusal = error instanceof AppError ? error : new AppError('request.invalid', { cause: error });
  const { title, detail, status } = { ...errorTable[refusal.code], ...wordsForPeople[refusal.code] };
  reply.headers(refusal.options.headers ?? {});
  const wayOn =
    request.routeOptions.url === verifyPath
      ? html``
      : html`<p><a href="/forgot-password">Forgot your password?</a></p>`;
  return sendPage(reply, {
    title,
    body: html`<p role="alert">${detail}</p>
      ${wayOn}`,
    status,
  });
}

/** Instead of those of the table, which speak to programs. */
const wordsForPeople: Partial<Record<ErrorCode, { title: string; detail: string }>> = {
  'request.invalid': {
    title: 'Something is missing',
    detail: 'The form was not filled in, or the link is not whole. Go back and try again.',
  },
  'request.rate_limited': { title: 'Too many tries', detail: 'Wait a minute, then try again.' },
};

function verifyForm(path: string, token: string): Html {
  return html`<p>Press the button to confirm that this is your address.</p>
    <form method="post" action="${path}">
      <input type="hidden" name="token" value="${token}" />
      <button type="submit">Confirm address</button>
    </form>`;
}

function passwordForm(path: string, token: string, problem?: string): Html {
  const alert = problem
    ? html`<p class="bad" id="problem" role="alert">The password ${problem}.</p>`
    : html``;
  return html`<form method="post" action="${path}">
    <input type="hidden" name="token" value="${token}" />
    ${alert}
    <label for="new-password">New password</label>
    <input
      id="new-password"
      name="newPassword"
      type="password"
      autocomplete="new-password"
      required
      minlength="8"
      autofocus
      aria-describedby="${problem ? 'problem hint' : 'hint'}"
    />
    <p class="soft" id="hint">
      At least 8 characters. A few words that only you would put together are good. All devices will be signed
      out.
    </p>
    <button type="submit">Set password</button>
  </form>`;
}

function addressFormOf(path: string): Html {
  return html`<p>Type your address. If it has an account, you get a mail with a link.</p>
    <form method="post" action="${path}">
      <label for="email">E-mail address</label>
      <input id="email" name="email" type="email" autocomplete="username" required autofocus />
      <button type="submit">Send the link</button>
    </form>`;
}
