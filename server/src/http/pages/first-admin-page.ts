import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { registerUser, verifyPassword } from '../../domains/auth/index.ts';
import { assertFirstAdminLink, claimFirstAdmin } from '../../domains/users/index.ts';
import { AppError, errorTable } from '../../errors.ts';
import { html, type Html } from '../../lib/html.ts';
import { csrfField, requireCsrfToken } from '../csrf.ts';
import { limits } from '../limits.ts';
import { originOf } from '../origin.ts';
import { pageRoute, sendPage } from './page.ts';
import { addPages } from './page-scope.ts';

const path = '/first-admin';
const token = Type.String({ minLength: 1, maxLength: 200 });
const linkQuery = Type.Object({ token: Type.Optional(token), done: Type.Optional(Type.String()) });
const claimForm = Type.Object({
  token,
  email: Type.String({ minLength: 1, maxLength: 254 }),
  password: Type.String({ minLength: 1, maxLength: 1024 }),
});
/** What whoever fills in the form can mend. */
const mendable = new Set(['auth.invalid_credentials', 'auth.password_unacceptable', 'request.invalid']);

/**
 * The page of the link that a start prints while there is no administrator: who opens it signs in or
 * registers with it, and is the first one. Opening it changes nothing; its form posts.
 */
export function addFirstAdminPage(app: App, ctx: Ctx): void {
  addPages(app, (pages) => {
    pages.get(
      path,
      { ...pageRoute, schema: { ...pageRoute.schema, querystring: linkQuery } },
      async (request, reply) => {
        const { token: given = '', done } = request.query;
        if (done !== undefined)
          return sendPage(reply, { title: 'You are the administrator', body: doneBody });
        await assertFirstAdminLink(ctx, given);
        return sendForm(ctx, request, reply, { token: given });
      },
    );
    const config = { ...pageRoute.config, limit: limits.register };
    pages.post(
      path,
      { preHandler: requireCsrfToken(ctx), config, schema: { ...pageRoute.schema, body: claimForm } },
      async (request, reply) => {
        const refusal = await refusalOf(() => claim(ctx, request.body, request));
        if (!refusal) return reply.redirect(`${path}?done`, 303);
        return sendForm(ctx, request, reply, { ...request.body, refusal });
      },
    );
  });
}

/** An address without an account gets one: the link proves that its holder runs the service. */
async function claim(
  ctx: Ctx,
  { token: given, email, password }: { token: string; email: string; password: string },
  request: FastifyRequest,
): Promise<void> {
  const origin = originOf(request);
  await assertFirstAdminLink(ctx, given);
  const userId = await registerUser(ctx, { email, password }, origin).then(
    ({ id }) => id,
    async (error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'users.email_taken') throw error;
      return (await verifyPassword(ctx, { email, password }, origin)).userId;
    },
  );
  await claimFirstAdmin(ctx, { userId, token: given }, origin);
}

async function refusalOf(work: () => Promise<void>): Promise<AppError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof AppError && mendable.has(error.code)) return error;
    throw error;
  }
}

function sendForm(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { token: given, email = '', refusal }: { token: string; email?: string; refusal?: AppError },
): FastifyReply {
  const hidden = Object.entries({ ...csrfField(ctx, request, reply), token: given });
  const body = html`<p>
      Sign in or register with an address of yours. It becomes the administrator of this service; the link
      works once.
    </p>
    ${refusal ? html`<p role="alert">${wordsOf(refusal)}</p>` : ''}
    <form method="post" action="${path}">
      ${hidden.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
      <label for="email">E-mail address</label>
      <input id="email" name="email" type="email" autocomplete="username" required value="${email}" />
      <label for="password">Password</label>
      <input
        id="password"
        name="password"
        type="password"
        autocomplete="current-password"
        required
        minlength="8"
      />
      <button type="submit">Become the administrator</button>
    </form>`;
  return sendPage(reply, { title: 'The first administrator', body, status: refusal?.status ?? 200 });
}

function wordsOf({ code, options }: AppError): string {
  const { title } = errorTable[code];
  const [field] = options.errors ?? [];
  return field ? `${title}: ${field.message}.` : `${title}.`;
}

const doneBody: Html = html`<p>
    Sign in again where you were signed in, so that your tokens name the new role.
  </p>
  <p><a href="/admin/people">Look after people’s accounts</a></p>
  <p><a href="/docs">Read the API reference</a></p>`;
