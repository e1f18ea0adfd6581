import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CreditsDone, TopUpFields } from '../../../../../web/src/credits-pages.ts';
import type { Problem } from '../../../../../web/src/page.ts';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { csrfField, requireCsrfToken } from '../../../http/csrf.ts';
import { limits } from '../../../http/limits.ts';
import { forPageReader, requirePageCaller, stepUpPath } from '../../../http/pages/page-caller.ts';
import { addPages } from '../../../http/pages/page-scope.ts';
import { reactPageRoute, sendReactPage } from '../../../http/pages/react-page.ts';
import { signInUrl } from '../../../http/pages/sign-in-url.ts';
import { purchaseCredits } from '../purchase-credits.ts';
import { requestRefund } from '../refunds/request-refund.ts';
import { beginSubscription } from '../subscriptions/begin-subscription.ts';
import { cancelSubscription, resumeSubscription } from '../subscriptions/cancel-subscription.ts';
import { changePlanOfSubscription } from '../subscriptions/change-plan-of-subscription.ts';
import { agreeTopUp } from '../top-ups/agree-top-up.ts';
import { endTopUp } from '../top-ups/end-top-up.ts';
import { openPortal } from '../top-ups/open-portal.ts';
import {
  buildCreditsPage,
  readMissing,
  withoutCheckouts,
  type CreditsPageOptions,
  type CreditsQuery,
} from './build-credits-page.ts';
import { creditsPath, planPath, topUpPath } from './paths.ts';
import { readTopUpForm } from './read-top-up-form.ts';
import * as schemas from './schemas.ts';

const { schema } = reactPageRoute;
const fields: Record<string, string | undefined> = {
  'payments.cap_too_low': 'monthlyCap',
  'payments.threshold_too_high': 'threshold',
};
const querystring = schemas.creditsQuerySchema;
/** Of every form: who was signed out meanwhile comes back to the page. */
const comesBack = { signsInAt: () => signInUrl(creditsPath) };

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
    const caller = await requirePageCaller(ctx, request, reply);
    const hidden = csrfField(ctx, request, reply);
    return reply.send(await buildCreditsPage(ctx, caller, { query: request.query, hidden }));
  });
}

function addPackForm(pages: App, ctx: Ctx): void {
  const options = {
    preHandler: requireCsrfToken(ctx),
    config: { ...comesBack, limit: limits.purchase },
    schema: { ...schema, body: schemas.packFormSchema },
  };
  pages.post(`${creditsPath}/buy`, options, async (request, reply) => {
    const caller = await requirePageCaller(ctx, request, reply);
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
    config: { ...comesBack, limit: limits.subscription },
    schema: { ...schema, body: schemas.planFormSchema },
  };
  pages.post(`${planPath}/subscribe`, options, async (request, reply) => {
    const caller = await requirePageCaller(ctx, request, reply);
    const { planId, decision } = request.body;
    const order = { planId, ...(decision === undefined ? {} : { provider: decision }) };
    return orAgain(ctx, request, reply, async () =>
      leadOn(reply, (await beginSubscription(ctx, caller, order)).checkoutUrl),
    );
  });
}

/** What the owner of a subscription does about it. */
function addPlanForms(pages: App, ctx: Ctx): void {
  const guarded = { preHandler: requireCsrfToken(ctx), config: { ...comesBack, limit: limits.subscription } };
  const change = { ...guarded, schema: { ...schema, body: schemas.planFormSchema } };
  pages.post(`${planPath}/change`, change, async (request, reply) => {
    const caller = await requirePageCaller(ctx, request, reply);
    return orAgain(ctx, request, reply, async () => {
      const { approvalUrl } = await changePlanOfSubscription(ctx, caller, request.body.planId);
      return approvalUrl === null ? goBack(reply, 'plan-changed') : leadOn(reply, approvalUrl);
    });
  });
  const plain = { ...guarded, schema };
  pages.post(`${planPath}/cancel`, plain, async (request, reply) => {
    const caller = await requirePageCaller(ctx, request, reply);
    return orAgain(ctx, request, reply, async () => {
      const { status } = await cancelSubscription(ctx, caller);
      return goBack(reply, status === 'ended' ? undefined : 'plan-cancelled');
    });
  });
  pages.post(`${planPath}/portal`, plain, async (request, reply) => {
    const caller = await requirePageCaller(ctx, request, reply);
    return orAgain(ctx, request, reply, async () =>
      leadOn(reply, (await openPortal(ctx, caller, 'stripe')).url),
    );
  });
  pages.post(`${planPath}/resume`, plain, async (request, reply) => {
    const caller = await requirePageCaller(ctx, request, reply);
    return orAgain(ctx, request, reply, async () => {
      await resumeSubscription(ctx, caller);
      return goBack(reply, 'plan-resumed');
    });
  });
}

function addRefundForm(pages: App, ctx: Ctx): void {
  const options = {
    preHandler: requireCsrfToken(ctx),
    config: { ...comesBack, limit: limits.purchase },
    schema: { ...schema, params: schemas.purchaseParamsSchema, body: schemas.refundFormSchema },
  };
  pages.post(`${creditsPath}/purchases/:purchaseId/refund`, options, async (request, reply) => {
    const caller = await requirePageCaller(ctx, request, reply);
    return orAgain(ctx, request, reply, async () => {
      const { purchaseId } = request.params;
      await requestRefund(ctx, caller, { purchaseId, reason: request.body.reason });
      return goBack(reply, 'refund-asked');
    });
  });
}

/** Agreeing to automatic top-ups, and ending them. */
function addTopUpForms(pages: App, ctx: Ctx): void {
  const guarded = { preHandler: requireCsrfToken(ctx), config: { ...comesBack, limit: limits.purchase } };
  const agree = { ...guarded, schema: { ...schema, body: schemas.topUpFormSchema } };
  pages.post(topUpPath, agree, async (request, reply) => {
    const caller = await requirePageCaller(ctx, request, reply);
    const { packageId, threshold, monthlyCap } = request.body;
    const agreeTo = async () => {
      await agreeTopUp(ctx, caller, await readTopUpForm(ctx, request.body));
      return goBack(reply, 'top-up-agreed');
    };
    return orAgain(ctx, request, reply, agreeTo, { packageId, threshold, monthlyCap });
  });
  pages.post(`${topUpPath}/end`, { ...guarded, schema }, async (request, reply) => {
    const caller = await requirePageCaller(ctx, request, reply);
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
  { status = 200, ...refusal }: Refusal = {},
): Promise<FastifyReply> {
  const query = request.query as CreditsQuery;
  return forPageReader(ctx, request, reply, {
    next: ownAddress(query),
    work: async (caller) => {
      const hidden = csrfField(ctx, request, reply);
      // Who looks at somebody's credits leads nobody to a payment, and has none looked for.
      if (request.looking) {
        const page = await buildCreditsPage(ctx, caller, { query: {}, hidden });
        return sendReactPage(reply, withoutCheckouts(page));
      }
      const page = await buildCreditsPage(ctx, caller, { query, hidden, ...refusal });
      return sendReactPage(reply, page, { status });
    },
  });
}

type Refusal = Pick<CreditsPageOptions, 'problem' | 'typed'> & { status?: number };

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
  typed?: TopUpFields,
): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'auth.step_up_required') {
      return reply.redirect(`${stepUpPath}?${new URLSearchParams({ next: creditsPath }).toString()}`, 303);
    }
    const problem = problemOf(error, typed);
    if (!problem) throw error;
    return show(ctx, request, reply, { problem, status: error.status, ...(typed ? { typed } : {}) });
  }
}

/**
 * What is wrong, and with which field, where it is one. Undefined after what leaves nothing of the page
 * possible.
 */
function problemOf({ code, options }: AppError, typed: TopUpFields | undefined): Problem | undefined {
  const [first] = options.errors ?? [];
  if (code === 'request.invalid' && typed && first)
    return { code, field: first.path.split('/').at(-1) ?? '', detail: first.message };
  if (!code.startsWith('payments.') && code !== 'credits.wallet_inactive') return undefined;
  const field = fields[code];
  return field === undefined ? { code } : { code, field };
}
