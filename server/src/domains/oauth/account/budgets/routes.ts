import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../../../app.ts';
import type { Ctx } from '../../../../ctx.ts';
import { csrfField, requireCsrfToken } from '../../../../http/csrf.ts';
import { orAgain } from '../../../../http/pages/or-again.ts';
import { forPageReader, requirePageCaller } from '../../../../http/pages/page-caller.ts';
import { sendReactPage } from '../../../../http/pages/react-page.ts';
import { signInUrl } from '../../../../http/pages/sign-in-url.ts';
import { problemOf } from '../../interactions/problem-of.ts';
import {
  buildBudgetPage,
  buildFirstBudgetPage,
  findOwnMandate,
  firstBudgetPath,
  giveBudget,
  saveBudget,
  type BudgetPageOptions,
} from '../budget-page.ts';
import * as schemas from '../schemas.ts';

const hide = true;
/** Where somebody ends who leaves a budget as it is: nothing leads back to the application from here. */
const leftUrl = '/sign-in?done';

type Refusal = Pick<BudgetPageOptions, 'problem' | 'typed'> & { status?: number };

/** The pages on which people change what an application may spend, or allow it for the first time. */
export function addBudgetRoutes(pages: App, ctx: Ctx): void {
  addBudgetPage(pages, ctx);
  addFirstBudgetPage(pages, ctx);
}

function addBudgetPage(pages: App, ctx: Ctx): void {
  const path = '/mandates/:mandateId';
  const common = { hide, params: schemas.mandateParamsSchema };
  const config = { signsInAt: (request: FastifyRequest) => signInUrl(budgetPathOf(request)) };
  const show = async (request: FastifyRequest, reply: FastifyReply, { status, ...refusal }: Refusal = {}) => {
    const { mandateId } = request.params as { mandateId: string };
    const isSaved = (request.query as { done?: string }).done !== undefined;
    return forPageReader(ctx, request, reply, {
      next: budgetPathOf(request),
      work: async (caller) => {
        const hidden = csrfField(ctx, request, reply);
        const page = await buildBudgetPage(ctx, caller, mandateId, { hidden, isSaved, ...refusal });
        return sendReactPage(reply, page, { status: status ?? 200 });
      },
    });
  };
  pages.get(path, { schema: { ...common, querystring: schemas.nextQuerySchema } }, (request, reply) =>
    show(request, reply),
  );
  const schema = { ...common, body: schemas.budgetFormSchema };
  pages.post(path, { preHandler: requireCsrfToken(ctx), config, schema }, async (request, reply) => {
    const caller = await requirePageCaller(ctx, request, reply);
    if (request.body.decision !== 'save') return reply.redirect(leftUrl, 303);
    const save = async () => {
      await saveBudget(ctx, caller, request.params.mandateId, request.body);
      return reply.redirect(`${budgetPathOf(request)}?done`, 303);
    };
    const again = (refusal: Refusal) => show(request, reply, { ...refusal, typed: request.body });
    return orAgain(save, again, problemOf);
  });
}

function addFirstBudgetPage(pages: App, ctx: Ctx): void {
  const path = '/mandates/new';
  const common = { hide, querystring: schemas.appQuerySchema };
  const show = async (request: FastifyRequest, reply: FastifyReply, { status, ...refusal }: Refusal = {}) => {
    const next = firstBudgetPath(appIdOf(request));
    return forPageReader(ctx, request, reply, {
      next,
      work: async (caller) => {
        const mandate = await findOwnMandate(ctx, caller, appIdOf(request));
        if (mandate) return reply.redirect(`/mandates/${mandate.id}`, 303);
        const hidden = csrfField(ctx, request, reply);
        const page = await buildFirstBudgetPage(ctx, caller, appIdOf(request), { hidden, ...refusal });
        return sendReactPage(reply, page, { status: status ?? 200 });
      },
    });
  };
  pages.get(path, { schema: common }, (request, reply) => show(request, reply));
  const guarded = { preHandler: requireCsrfToken(ctx), config: { signsInAt } };
  const schema = { ...common, body: schemas.budgetFormSchema };
  pages.post(path, { ...guarded, schema }, async (request, reply) => {
    const caller = await requirePageCaller(ctx, request, reply);
    if (request.body.decision !== 'save') return reply.redirect(leftUrl, 303);
    const save = async () => {
      const mandateId = await giveBudget(ctx, caller, request.query.appId, request.body);
      return reply.redirect(`/mandates/${mandateId}?done`, 303);
    };
    const again = (refusal: Refusal) => show(request, reply, { ...refusal, typed: request.body });
    return orAgain(save, again, problemOf);
  });
}

function signsInAt(request: FastifyRequest): string {
  return signInUrl(firstBudgetPath(appIdOf(request)));
}

function budgetPathOf(request: FastifyRequest): string {
  return `/mandates/${(request.params as { mandateId: string }).mandateId}`;
}

function appIdOf(request: FastifyRequest): string {
  return (request.query as { appId: string }).appId;
}
