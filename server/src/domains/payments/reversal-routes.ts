import { Type } from 'typebox';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { nextOffset, sendPageHeaders } from '../../http/paging.ts';
import { listDisputes } from './disputes/list-disputes.ts';
import { disputeSchema, disputesQuerySchema } from './disputes/schemas.ts';
import { listInvoices } from './invoices/list-invoices.ts';
import { invoiceSchema, invoicesQuerySchema } from './invoices/schemas.ts';
import { listReconciliations } from './reconciliation/list-reconciliations.ts';
import { reconciliationSchema, reconciliationsQuerySchema } from './reconciliation/schemas.ts';
import { addRefundRoutes } from './refunds/routes.ts';

const common = { tags: ['payments'], security: [{ bearer: [] }] };
const forAdmins = { refusals: ['auth.admin_required'] as const };

/** Refunds, disputes, bills, and whether providers and the ledger agree. */
export function addReversalRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  addRefundRoutes(app, ctx);

  const disputesSchema = {
    ...common,
    summary: 'List disputes (administrators)',
    description: 'Those that changed last first.',
    querystring: disputesQuerySchema,
    response: { 200: Type.Array(disputeSchema) },
  };
  const forDisputes = { preHandler, config: forAdmins, schema: disputesSchema };
  app.get('/api/v1/payments/disputes', forDisputes, async (request, reply) => {
    const { items, total } = await listDisputes(ctx, callerOf(request), request.query);
    sendPageHeaders(request, reply, { total, next: nextOffset(request.query, total) });
    return items;
  });

  const invoicesSchema = {
    ...common,
    summary: 'List your bills',
    description: 'What you were billed for subscriptions, the youngest first.',
    querystring: invoicesQuerySchema,
    response: { 200: Type.Array(invoiceSchema) },
  };
  app.get('/api/v1/payments/invoices', { preHandler, schema: invoicesSchema }, async (request, reply) => {
    const { items, total } = await listInvoices(ctx, callerOf(request), request.query);
    sendPageHeaders(request, reply, { total, next: nextOffset(request.query, total) });
    return items;
  });

  const reconciliationsSchema = {
    ...common,
    summary: 'List comparisons of providers with the ledger (administrators)',
    description: 'The youngest first, with what was found.',
    querystring: reconciliationsQuerySchema,
    response: { 200: Type.Array(reconciliationSchema) },
  };
  const forReconciliations = { preHandler, config: forAdmins, schema: reconciliationsSchema };
  app.get('/api/v1/payments/reconciliations', forReconciliations, async (request, reply) => {
    const { items, total } = await listReconciliations(ctx, callerOf(request), request.query);
    sendPageHeaders(request, reply, { total, next: nextOffset(request.query, total) });
    return items;
  });
}
