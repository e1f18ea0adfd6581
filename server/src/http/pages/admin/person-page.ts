import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PersonAction, PersonPage, PersonView } from '../../../../../web/src/admin-pages.ts';
import type { Form, Problem } from '../../../../../web/src/page.ts';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { assertRecentSignIn, readSessionsOf, readTrailOf } from '../../../domains/auth/index.ts';
import { readCreditsOf, readDebtOf } from '../../../domains/credits/index.ts';
import { readAccount, userIdSchema, type Account } from '../../../domains/users/index.ts';
import { AppError } from '../../../errors.ts';
import { csrfField, requireCsrfToken } from '../../csrf.ts';
import { originOf } from '../../origin.ts';
import { orAgain, type Again } from '../or-again.ts';
import { forAdministrator, peoplePath } from '../page-caller.ts';
import { addPages } from '../page-scope.ts';
import { reactPageRoute, sendReactPage } from '../react-page.ts';
import { stateOf } from './people-page.ts';
import { personForm, takeAction, type PersonForm } from './take-action.ts';

const { schema } = reactPageRoute;
const path = `${peoplePath}/:userId`;
const shownEvents = 20;
const querystring = Type.Object({ done: Type.Optional(Type.String({ maxLength: 20 })) });
const actionParams = Type.Object({
  ...userIdSchema.properties,
  action: Type.Enum(Object.keys(takeAction) as PersonAction[]),
});
const mendable =
  /^(request\.invalid|users\.(last_admin|impersonation_refused|reset_refused)|credits\.(too_many|wallet_inactive)|idempotency\.mismatch)$/;

/** The page of somebody's account, for administrators of the service. It takes a recent sign-in. */
export function addPersonPage(app: App, ctx: Ctx): void {
  const preHandler = requireCsrfToken(ctx);
  addPages(app, (pages) => {
    pages.get(path, { schema: { ...schema, params: userIdSchema, querystring } }, (request, reply) =>
      forAdministrator(ctx, request, reply, {
        next: addressOf(request),
        work: (caller) => show(ctx, request, reply, caller),
      }),
    );
    const sent = { preHandler, schema: { ...schema, params: actionParams, body: personForm } };
    pages.post(`${path}/:action`, sent, (request, reply) =>
      forAdministrator(ctx, request, reply, {
        next: addressOf(request),
        work: (caller) => act(ctx, request, reply, caller, { ...request.params, form: request.body }),
      }),
    );
  });
}

type Act = { userId: string; action: PersonAction; form: PersonForm };

async function act(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
  { userId, action, form }: Act,
): Promise<FastifyReply> {
  await assertRecentSignIn(ctx, caller);
  const take = async () => {
    await takeAction[action](ctx, { caller, origin: originOf(request), userId, form, reply });
    // Who gives up the role has no business here any more.
    const isGone = action === 'role' && userId === caller.userId;
    const url = `${peoplePath}/${userId}?done=${action}`;
    return reply.redirect(isGone || action === 'look' ? '/account' : url, 303);
  };
  const { reason = '', amount = '', until = '' } = form;
  const typed = { reason, amount, until };
  return orAgain(take, (again) => show(ctx, request, reply, caller, { ...again, action, typed }), problemOf);
}

type Refused = Again & { action: PersonAction; typed: Record<string, string> };

async function show(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
  again?: Refused,
): Promise<FastifyReply> {
  const { userId } = request.params as { userId: string };
  const account = await readAccount(ctx, caller, readCreditsOf, userId);
  await assertRecentSignIn(ctx, caller);
  const sessions = await readSessionsOf(ctx, caller, userId);
  const devicesCount = sessions.filter(({ impersonated }) => !impersonated).length;
  const { events } = await readTrailOf(ctx, caller, { userId, limit: shownEvents, offset: 0 });
  const formOf = (action: PersonAction): Form => ({
    action: `${peoplePath}/${userId}/${action}`,
    hidden: { ...csrfField(ctx, request, reply), ...extrasOf(ctx, action, account) },
  });
  const page: PersonPage = {
    name: 'person',
    person: toView(ctx, account, { debt: await readDebtOf(ctx, userId), devicesCount }),
    events: events.map(({ id, type, ipAddress, createdAt }) => ({ id, type, ipAddress, createdAt })),
    actions: actionsOf(account, { isSelf: caller.userId === userId, isSignedIn: sessions.length > 0 }).map(
      (action) => ({ action, form: formOf(action) }),
    ),
    peopleUrl: peoplePath,
    done: doneOf((request.query as { done?: string }).done),
    refused: again ? { action: again.action, typed: again.typed, problem: again.problem } : null,
  };
  return sendReactPage(reply, page, { status: again?.status ?? 200 });
}

function toView(
  { config }: Ctx,
  account: Account,
  figures: Pick<PersonView, 'debt' | 'devicesCount'>,
): PersonView {
  const { id, email, emailVerified, name, role, ban, createdAt, credits } = account;
  return {
    id,
    email,
    isEmailVerified: emailVerified,
    name,
    isAdministrator: role === 'admin',
    state: stateOf(account),
    ban: ban && { reason: ban.reason, until: ban.until },
    createdAt,
    credits,
    scale: config.creditsScale,
    ...figures,
  };
}

/** What can be done about this account; what is bound to be refused is not offered. */
function actionsOf(
  account: Account,
  { isSelf, isSignedIn }: { isSelf: boolean; isSignedIn: boolean },
): PersonAction[] {
  const { isActive, role, ban } = account;
  return [
    ...(isActive && role === 'user' ? (['look'] as const) : []),
    'credits',
    'role',
    ...(isSignedIn && !isSelf ? (['sign-out'] as const) : []),
    ...(isActive && !isSelf ? (['reset-factors', 'deactivate'] as const) : []),
    ...(!isSelf && ban === null ? (['ban'] as const) : []),
    ...(isActive ? [] : (['reactivate'] as const)),
  ];
}

/** What a form says besides what is typed: sent again, it does what it did before and no more. */
function extrasOf({ random }: Ctx, action: PersonAction, { role }: Account): Record<string, string> {
  if (action === 'role') return { role: role === 'admin' ? 'user' : 'admin' };
  return action === 'credits' ? { key: random.bytes(16).toString('base64url') } : {};
}

function doneOf(done: string | undefined): PersonPage['done'] {
  if (done === undefined || done === 'look') return null;
  return done === 'looking-ended' || Object.hasOwn(takeAction, done) ? (done as PersonPage['done']) : null;
}

/** Where signing in, or showing that it is still them, leads back to. */
function addressOf(request: FastifyRequest): string {
  return `${peoplePath}/${(request.params as { userId: string }).userId}`;
}

/** What an administrator can mend in a form; undefined for other refusals. */
function problemOf(error: unknown): Problem | undefined {
  if (!(error instanceof AppError) || !mendable.test(error.code)) return undefined;
  const [first] = error.options.errors ?? [];
  if (!first) return { code: error.code };
  return { code: error.code, field: first.path.split('/').at(-1) ?? '', detail: first.message };
}
