import { Type } from 'typebox';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { confirmEmailChange, enterBrowser, identifyByLink } from '../../domains/auth/index.ts';
import { keepSignIn, readPlace } from '../browser-sign-in.ts';
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
const { schema } = reactPageRoute;

/**
 * The pages of links that sign in, or give an account another address. Opening one changes nothing; its
 * button does, so that mail scanners use none up. They work without JavaScript.
 */
export function addLinkPages(app: App, ctx: Ctx): void {
  addPages(app, (pages) => {
    addMagicLinkPage(pages, ctx);
    addChangeEmailPage(pages, ctx);
  });
}

function addMagicLinkPage(pages: App, ctx: Ctx): void {
  const path = '/magic-link';
  pages.get(path, { schema: { ...schema, querystring: linkQuery } }, (request, reply) => {
    const { token = '' } = request.query;
    const form = { action: path, hidden: { ...csrfField(ctx, request, reply), token } };
    return sendReactPage(reply, { name: 'magic-link', form });
  });
  pages.post(
    path,
    {
      preHandler: requireCsrfToken(ctx),
      config: { limit: limits.openMagicLink, errorLinks: ['sign-in'] },
      schema: { ...schema, body: tokenForm },
    },
    async (request, reply) => {
      const person = await identifyByLink(ctx, request.body.token, originOf(request));
      const result = await enterBrowser(ctx, person, readPlace(ctx, request), originOf(request));
      const isDone = keepSignIn(ctx, reply, result);
      return reply.redirect(isDone ? '/sign-in?done' : '/sign-in/second-factor', 303);
    },
  );
}

function addChangeEmailPage(pages: App, ctx: Ctx): void {
  const path = '/change-email';
  pages.get(path, { schema: { ...schema, querystring: linkQuery } }, (request, reply) => {
    const { token = '', done } = request.query;
    const form = { action: path, hidden: { ...csrfField(ctx, request, reply), token } };
    return sendReactPage(reply, { name: 'change-email', form, isDone: done !== undefined });
  });
  pages.post(
    path,
    {
      preHandler: requireCsrfToken(ctx),
      config: { limit: limits.verifyEmail },
      schema: { ...schema, body: tokenForm },
    },
    async (request, reply) => {
      await confirmEmailChange(ctx, request.body, originOf(request));
      return reply.redirect(`${path}?done`, 303);
    },
  );
}
