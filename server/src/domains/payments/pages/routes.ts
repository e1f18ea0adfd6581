import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CreditsDone } from '../../../../../web/src/credits-pages.ts';
import type { Problem } from '../../../../../web/src/page.ts';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { centsPerUnit } from '../../../lib/amount-text.ts';
import { exactInteger, toUnits } from '../../../lib/exact.ts';
import { csrfField, requireCsrfToken } from '../../../http/csrf.ts';
import { limits } from '../../../http/limits.ts';
import { addPages } from '../../../http/pages/page-scope.ts';
import { stepUpPath } from '../../../http/pages/security-scope.ts';
import { reactPageRoute, sendReactPage } from '../../../http/pages/react-page.ts';
import { readSignInCookie } from '../../../http/sign-in-cookie.ts';
import { findBrowserCaller } from '../../auth/index.ts';
import { listPackages } from '../../credits/index.ts';
import { purchaseCredits } from '../purchase-credits.ts';
import { requestRefund } from '../refunds/request-refund.ts';
import { beginSubscription } from '../subscriptions/begin-subscription.ts';
import { cancelSubscription, resumeSubscription } from '../subscriptions/cancel-subscription.ts';
import { changePlanOfSubscription } from '../subscriptions/change-plan-of-subscription.ts';
import { agreeTopUp } from '../top-ups/agree-top-up.ts';
import { endTopUp } from '../top-ups/end-top-up.ts';
import { openPortal } from '../top-ups/open-portal.ts';
import { buildCreditsPage, readMissing, type CreditsQuery } from './build-credits-page.ts';
import { creditsPath, planPath, topUpPath } from './paths.ts';
import * as schemas from './schemas.ts';

const { schema } = reactPageRoute;
const fields: Record<string, string | undefined> = {
  'payments.cap_too_low': 'monthlyCap',
  'payments.threshold_too_high': 'threshold',
};
const querystring = schemas.creditsQuerySchema;

/**
 * The page of a person's credits. Buying works without JavaScript; with it, what was paid for appears without
 * loading the page again.
 */
export function addCreditsPages(app: App, ctx: Ctx): void {
  addPages(app, (pages) => {
    addOverview(pages, ctx);
    addPackForm(pages, ctx);
    addSubscribeForm(pages, ctx);
    addPlanForms(pages, ctx);
    addRefundForm(pages, ctx);
    addTopUpForms(pages, ctx);
  });
}

function addOverview(pages: App, ctx: Ctx): void {
  pages.get(creditsPath, { schema: { ...schema, querystring } }, (request, reply) =>
    show(ctx, request, reply),
  );
  pages.get(`${creditsPath}/now`, { schema: { ...schema, querystring } }, async (request, reply) => {
    const caller = await requireCaller(ctx, request);
    const hidden = csrfField(ctx, request, reply);
    return reply.send(await buildCreditsPage(ctx, caller, { query: request.query, hidden }));
  });
}

function addPackForm(pages: App, ctx: Ctx): void {
  const options = {
    preHandler: requireCsrfToken(ctx),
    config: { limit: limits.purchase },
    schema: { ...schema, body: schemas.packFormSchema },
  };
  pages.post(`${creditsPath}/buy`, options, async (request, reply) => {
    const caller = await requireCaller(ctx, request);
    const { packageId, key, decision, saveCard } = request.body;
    const provider = decision === undefined ? {} : { provider: decision };
    return orAgain(ctx, request, reply, async () => {
      const idempotencyKey = `page:${key}:${packageId}:${decision ?? ''}:${saveCard ?? ''}`;
      const kept = saveCard === undefined ? {} : { saveCard: true };
      const opened = await purchaseCredits(ctx, caller, { packageId, ...provider, ...kept, idempotencyKey });
      return leadOn(reply, opened.checkoutUrl);
    });
  });
}

function addSubscribeForm(pages: App, ctx: Ctx): void {
  const options = {
    preHandler: requireCsrfToken(ctx),
    config: { limit: limits.subscription },
    schema: { ...schema, body: schemas.planFormSchema },
  };
  pages.post(`${planPath}/subscribe`, options, async (request, reply) => {
    const caller = await requireCaller(ctx, request);
    const { planId, decision } = request.body;
    const order = { planId, ...(decision === undefined ? {} : { provider: decision }) };
    return orAgain(ctx, request, reply, async () =>
      leadOn(reply, (await beginSubscription(ctx, caller, order)).checkoutUrl),
    );
  });
}

/** What the owner of a subscription does about it. */
function addPlanForms(pages: App, ctx: Ctx): void {
  const guarded = { preHandler: requireCsrfToken(ctx), config: { limit: limits.subscription } };
  const change = { ...guarded, schema: { ...schema, body: schemas.planFormSchema } };
  pages.post(`${planPath}/change`, change, async (request, reply) => {
    const caller = await requireCaller(ctx, request);
    return orAgain(ctx, request, reply, async () => {
      const { approvalUrl } = await changePlanOfSubscription(ctx, caller, request.body.planId);
      return approvalUrl === null ? goBack(reply, 'plan-changed') : leadOn(reply, approvalUrl);
    });
  });
  const plain = { ...guarded, schema };
  pages.post(`${planPath}/cancel`, plain, async (request, reply) => {
    const caller = await requireCaller(ctx, request);
    return orAgain(ctx, request, reply, async () => {
      const { status } = await cancelSubscription(ctx, caller);
      return goBack(reply, status === 'ended' ? undefined : 'plan-cancelled');
    });
  });
  pages.post(`${planPath}/portal`, plain, async (request, reply) => {
    const caller = await requireCaller(ctx, request);
    return orAgain(ctx, request, reply, async () =>
      leadOn(reply, (await openPortal(ctx, caller, 'stripe')).url),
    );
  });
  pages.post(`${planPath}/resume`, plain, async (request, reply) => {
    const caller = await requireCaller(ctx, request);
    return orAgain(ctx, request, reply, async () => {
      await resumeSubscription(ctx, caller);
      return goBack(reply, 'plan-resumed');
    });
  });
}

function addRefundForm(pages: App, ctx: Ctx): void {
  const options = {
    preHandler: requireCsrfToken(ctx),
    config: { limit: limits.purchase },
    schema: { ...schema, params: schemas.purchaseParamsSchema, body: schemas.refundFormSchema },
  };
  pages.post(`${creditsPath}/purchases/:purchaseId/refund`, options, async (request, reply) => {
    const caller = await requireCaller(ctx, request);
    return orAgain(ctx, request, reply, async () => {
      const { purchaseId } = request.params;
      await requestRefund(ctx, caller, { purchaseId, reason: request.body.reason });
      return goBack(reply, 'refund-asked');
    });
  });
}

/** Agreeing to automatic top-ups, and ending them. */
function addTopUpForms(pages: App, ctx: Ctx): void {
  const guarded = { preHandler: requireCsrfToken(ctx), config: { limit: limits.purchase } };
  const agree = { ...guarded, schema: { ...schema, body: schemas.topUpFormSchema } };
  pages.post(topUpPath, agree, async (request, reply) => {
    const caller = await requireCaller(ctx, request);
    const { packageId, threshold, monthlyCap } = request.body;
    return orAgain(ctx, request, reply, async () => {
      const currency = (await listPackages(ctx)).find(({ id }) => id === packageId)?.currency ?? 'EUR';
      await agreeTopUp(ctx, caller, {
        packageId,
        threshold: toUnits(exactInteger(threshold), ctx.config.creditsScale),
        monthlyCapCents: exactInteger(monthlyCap) * centsPerUnit(currency),
      });
      return goBack(reply, 'top-up-agreed');
    });
  });
  pages.post(`${topUpPath}/end`, { ...guarded, schema }, async (request, reply) => {
    const caller = await requireCaller(ctx, request);
    await endTopUp(ctx, caller);
    return goBack(reply, 'top-up-ended');
  });
}

function goBack(reply: FastifyReply, done?: CreditsDone): FastifyReply {
  return reply.redirect(done === undefined ? creditsPath : `${creditsPath}?done=${done}`, 303);
}

/**
 * Leads on to a page of a payment provider. A redirect as the answer to a form would need every host on the
 * way allowed by our policy, and providers change theirs; this leads on from a page. @see Content Security
 * Policy Level 3 §6.4.2
 */
function leadOn(reply: FastifyReply, url: string): Promise<FastifyReply> {
  const { host } = new URL(url);
  return sendReactPage(reply.header('refresh', `0; url=${url}`), { name: 'checkout', url, host });
}

async function show(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  refusal?: { problem: Problem; status: number },
): Promise<FastifyReply> {
  const caller = await callerOf(ctx, request);
  const query = request.query as CreditsQuery;
  if (!caller)
    return reply.redirect(`/sign-in?${new URLSearchParams({ next: ownAddress(query) }).toString()}`, 303);
  const page = await buildCreditsPage(ctx, caller, {
    query,
    hidden: csrfField(ctx, request, reply),
    ...(refusal ? { problem: refusal.problem } : {}),
  });
  return sendReactPage(reply, page, { status: refusal?.status ?? 200 });
}

/** The page with what brought somebody here, which signing in leads back to. */
function ownAddress({ need, purchase, subscription }: CreditsQuery): string {
  const missing = readMissing(need);
  if (missing !== null) return `${creditsPath}?need=${missing}`;
  if (purchase !== undefined) return `${creditsPath}?purchase=${purchase}`;
  return subscription === undefined ? creditsPath : `${creditsPath}?subscription=${subscription}`;
}

/**
 * Shows the page again with why something was not done. Who has to show first that it is them is sent to do
 * that, and comes back.
 */
async function orAgain(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  work: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'auth.step_up_required') {
      return reply.redirect(`${stepUpPath}?${new URLSearchParams({ next: creditsPath }).toString()}`, 303);
    }
    if (!isSurvivable(error.code)) throw error;
    return show(ctx, request, reply, { problem: problemOf(error.code), status: error.status });
  }
}

/** What is wrong, and with which field, where it is one. */
function problemOf(code: string): Problem {
  const field = fields[code];
  return field === undefined ? { code } : { code, field };
}

/** After these, whatever else the page offers is still possible. */
function isSurvivable(code: string): boolean {
  return code.startsWith('payments.') || code === 'credits.wallet_inactive';
}

async function requireCaller(ctx: Ctx, request: FastifyRequest): Promise<Caller> {
  const caller = await callerOf(ctx, request);
  if (!caller) throw new AppError('auth.session_ended');
  return caller;
}

function callerOf(ctx: Ctx, request: FastifyRequest): Promise<Caller | undefined> {
  return findBrowserCaller(ctx, readSignInCookie(ctx.config, request));
}
