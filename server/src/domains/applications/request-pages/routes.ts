import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { AccessRequestsPage, Problem } from '../../../../../web/src/page.ts';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { csrfField, requireCsrfToken } from '../../../http/csrf.ts';
import { originOf } from '../../../http/origin.ts';
import { forPageReader, requirePageCaller } from '../../../http/pages/page-caller.ts';
import { addPages } from '../../../http/pages/page-scope.ts';
import { reactPageRoute, sendReactPage } from '../../../http/pages/react-page.ts';
import { signInUrl } from '../../../http/pages/sign-in-url.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { approveRequest } from '../access-requests/approve-request.ts';
import { denyRequest } from '../access-requests/deny-request.ts';
import { buildRequestsPage } from './build-requests-page.ts';
import * as schemas from './schemas.ts';

const path = '/access-requests';
const { schema } = reactPageRoute;
/** After these the rest of the page is still to be decided on. */
const survivable = ['access.request_decided', 'access.own_request', 'applications.role_unknown'];

/** The page where administrators of applications decide who comes in. It works without JavaScript. */
export function addRequestPages(app: App, ctx: Ctx): void {
  addPages(app, (pages) => {
    pages.get(path, { schema: { ...schema, querystring: schemas.shownQuerySchema } }, (request, reply) =>
      show(ctx, request, reply, { decided: decisionOf(request.query.done) }),
    );
    const options = {
      preHandler: requireCsrfToken(ctx),
      config: { signsInAt: () => signInUrl(path) },
      schema: { ...schema, params: schemas.decidedParamsSchema, body: schemas.decisionFormSchema },
    };
    pages.post(`${path}/:id`, options, async (request, reply) => {
      const caller = await requirePageCaller(ctx, request, reply);
      const decision = { ...request.body, id: request.params.id };
      const refusal = await refusalOf(() => decide(ctx, caller, decision, originOf(request)));
      if (refusal) return show(ctx, request, reply, { problem: { code: refusal.code }, refusal });
      const done = decision.decision === 'approve' ? 'approved' : 'denied';
      return reply.redirect(`${path}?done=${done}`, 303);
    });
  });
}

type Shown = { decided?: AccessRequestsPage['decided']; problem?: Problem; refusal?: AppError };

async function show(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { decided = null, problem, refusal }: Shown,
): Promise<FastifyReply> {
  return forPageReader(ctx, request, reply, {
    next: path,
    work: async (caller) => {
      const hidden = csrfField(ctx, request, reply);
      const refused = problem ? { problem } : {};
      const page = await buildRequestsPage(ctx, caller, { hidden, decided, ...refused });
      return sendReactPage(reply, page, { status: refusal?.status ?? 200 });
    },
  });
}

type DecisionForm = Static<typeof schemas.decisionFormSchema> & { id: string };

async function decide(
  ctx: Ctx,
  caller: Caller,
  { id, decision, role, reason }: DecisionForm,
  origin: RequestOrigin,
): Promise<void> {
  if (decision === 'approve') await approveRequest(ctx, caller, { id, role }, origin);
  else await denyRequest(ctx, caller, { id, reason }, origin);
}

/** Why a decision was not taken, when others still can be. */
async function refusalOf(work: () => Promise<void>): Promise<AppError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof AppError && survivable.includes(error.code)) return error;
    throw error;
  }
}

function decisionOf(done: string | undefined): AccessRequestsPage['decided'] {
  return done === 'approved' || done === 'denied' ? done : null;
}
