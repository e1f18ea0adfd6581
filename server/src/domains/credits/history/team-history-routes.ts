import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { preferredFormat, sendExport } from '../../../http/export.ts';
import { sendPageHeaders } from '../../../http/paging.ts';
import { transactionSchema } from '../schemas.ts';
import { assertTeamAdmin } from '../teams/assert-team-admin.ts';
import { teamParamsSchema } from '../teams/schemas.ts';
import type { ExportLane } from './export-lane.ts';
import { exportStatement } from './export-statement.ts';
import { listTransactions } from './list-transactions.ts';
import { readStatement } from './read-statement.ts';
import { readUsage } from './read-usage.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['credits'], security: [{ bearer: [] }], params: teamParamsSchema };
const config = { refusals: ['request.not_found', 'teams.role_required'] as const };

/** What a team's wallet has been through, for its owners and admins. */
export function addTeamHistoryRoutes(app: App, ctx: Ctx, lane: ExportLane): void {
  const preHandler = authenticate(ctx);

  const listSchema = {
    ...common,
    summary: "List a team's transactions (its owners and admins)",
    description: 'Newest first. `X-Total-Count` counts all that match, `Link` leads to the next page.',
    querystring: schemas.transactionsQuerySchema,
    response: { 200: Type.Array(transactionSchema) },
  };
  const listOptions = { preHandler, config, schema: listSchema };
  app.get('/api/v1/credits/teams/:teamId/transactions', listOptions, async (request, reply) => {
    const { teamId } = request.params;
    const caller = await assertTeamAdmin(ctx, callerOf(request), teamId);
    const { items, total, nextCursor } = await listTransactions(ctx, caller, request.query, teamId);
    sendPageHeaders(request, reply, { total, next: nextCursor ? { cursor: nextCursor } : undefined });
    return items;
  });

  const statementSchema = {
    ...common,
    summary: "Read a team's statement (its owners and admins)",
    description: 'Opening, movements, closing; JSON, or CSV by `Accept: text/csv` or `?format=csv`.',
    querystring: schemas.statementQuerySchema,
    response: { 200: schemas.statementSchema },
  };
  const statementOptions = { preHandler, config, schema: statementSchema };
  app.get('/api/v1/credits/teams/:teamId/statement', statementOptions, async (request, reply) => {
    const { teamId } = request.params;
    const caller = await assertTeamAdmin(ctx, callerOf(request), teamId);
    const statement = await readStatement(ctx, lane, caller, request.query, teamId);
    return sendExport(reply, exportStatement(statement, request.query.format ?? preferredFormat(request)));
  });

  const usageSchema = {
    ...common,
    summary: 'Read what a team has spent (its owners and admins)',
    querystring: schemas.usageQuerySchema,
    response: { 200: schemas.usageSchema },
  };
  const usageOptions = { preHandler, config, schema: usageSchema };
  app.get('/api/v1/credits/teams/:teamId/usage', usageOptions, async (request) => {
    const { teamId } = request.params;
    return readUsage(ctx, await assertTeamAdmin(ctx, callerOf(request), teamId), request.query, teamId);
  });
}
