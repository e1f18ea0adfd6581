import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { preferredFormat, sendExport } from '../../../http/export.ts';
import { sendPageHeaders } from '../../../http/paging.ts';
import { transactionSchema } from '../schemas.ts';
import { createExportLane } from './export-lane.ts';
import { exportStatement } from './export-statement.ts';
import { listTransactions } from './list-transactions.ts';
import { readBalanceAt } from './read-balance-at.ts';
import { readStatement } from './read-statement.ts';
import { readUsage } from './read-usage.ts';
import * as schemas from './schemas.ts';
import { signReceipt } from './sign-receipt.ts';
import { addTeamHistoryRoutes } from './team-history-routes.ts';

const common = { tags: ['credits'], security: [{ bearer: [] }] };

const forApplications = 'An application reads it with a token that carries `credits:read`.';

const listOptions = {
  schema: {
    ...common,
    summary: 'List your transactions',
    description:
      'Newest first. `X-Total-Count` counts all that match, `Link` leads to the next page. ' +
      forApplications,
    querystring: schemas.transactionsQuerySchema,
    response: { 200: Type.Array(transactionSchema) },
  },
};

const statementOptions = {
  schema: {
    ...common,
    summary: 'Read the statement of a month or of any period',
    description:
      'Opening, movements, closing, with the head of the chain at both ends; JSON, or CSV by `Accept: text/csv` ' +
      `or \`?format=csv\`. Streamed as it is read, whatever its length. ${forApplications}`,
    querystring: schemas.statementQuerySchema,
    response: { 200: schemas.statementSchema },
  },
};

/** What a wallet has been through: transactions, statements, usage, receipts. */
export function addHistoryRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx, { scope: 'credits:read' });
  const lane = createExportLane();
  addPastRoutes(app, ctx);
  addTeamHistoryRoutes(app, ctx, lane);

  app.get('/api/v1/credits/transactions', { ...listOptions, preHandler }, async (request, reply) => {
    const { items, total, nextCursor } = await listTransactions(ctx, callerOf(request), request.query);
    sendPageHeaders(request, reply, { total, next: nextCursor ? { cursor: nextCursor } : undefined });
    return items;
  });

  app.get('/api/v1/credits/statement', { ...statementOptions, preHandler }, async (request, reply) => {
    const statement = await readStatement(ctx, lane, callerOf(request), request.query);
    return sendExport(reply, exportStatement(statement, request.query.format ?? preferredFormat(request)));
  });

  app.get(
    '/api/v1/credits/usage',
    {
      preHandler,
      schema: {
        ...common,
        summary: 'Read what you have spent, by app, day or model',
        description: forApplications,
        querystring: schemas.usageQuerySchema,
        response: { 200: schemas.usageSchema },
      },
    },
    (request) => readUsage(ctx, callerOf(request), request.query),
  );
}

function addPastRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);

  app.get('/api/v1/credits/balance-at', { ...balanceAtOptions, preHandler }, (request) =>
    readBalanceAt(ctx, callerOf(request), request.query.at),
  );

  app.get('/api/v1/credits/transactions/:id/receipt', { ...receiptOptions, preHandler }, async (request) => ({
    receipt: await signReceipt(ctx, callerOf(request), request.params.id),
  }));
}

const balanceAtOptions = {
  schema: {
    ...common,
    summary: 'Read what your balance was at a past instant',
    description: 'Recomputed from the journal: what the balance answered then.',
    querystring: schemas.balanceAtQuerySchema,
    response: { 200: schemas.balanceAtSchema },
  },
};

const receiptOptions = {
  schema: {
    ...common,
    summary: 'Get a signed receipt for a transaction',
    description:
      'Verifiable offline with the keys of `/.well-known/jwks.json`; keep them with it, as keys are rotated.',
    params: schemas.transactionParamsSchema,
    response: { 200: schemas.receiptSchema },
  },
  config: { refusals: ['request.not_found'] as const },
};
