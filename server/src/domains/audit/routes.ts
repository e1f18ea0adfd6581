import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import type { ErrorCode } from '../../errors.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { sendRows } from '../../http/export.ts';
import { originOf } from '../../http/origin.ts';
import { sendLinkToNext } from '../../http/paging.ts';
import { exportAuditEvents } from './export-audit-events.ts';
import { listAuditEvents } from './list-audit-events.ts';
import {
  auditEventsSchema,
  auditExportQuerySchema,
  auditQuerySchema,
  exportedLinesSchema,
  type AuditEventView,
} from './schemas.ts';

const common = { tags: ['audit'], security: [{ bearer: [] }] };
const config = { refusals: ['auth.admin_required'] satisfies ErrorCode[] };

const columns = {
  createdAt: (event: AuditEventView) => event.createdAt,
  type: (event: AuditEventView) => event.type,
  actorType: (event: AuditEventView) => event.actor.type,
  actorId: (event: AuditEventView) => event.actor.id,
  subjectType: (event: AuditEventView) => event.subject?.type ?? null,
  subjectId: (event: AuditEventView) => event.subject?.id ?? null,
  reason: (event: AuditEventView) => event.reason,
  ipAddress: (event: AuditEventView) => event.ipAddress,
  details: (event: AuditEventView) => JSON.stringify(event.details),
  id: (event: AuditEventView) => event.id,
  sequence: (event: AuditEventView) => event.sequence,
  hash: (event: AuditEventView) => event.hash,
};

/** The audit trail, for administrators. */
export function addAuditRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);

  const listSchema = {
    ...common,
    summary: 'Read the audit trail (administrators)',
    description: 'Newest first; `Link` and `nextCursor` lead to the next page.',
    querystring: auditQuerySchema,
    response: { 200: auditEventsSchema },
  };
  app.get('/api/v1/audit/events', { preHandler, config, schema: listSchema }, async (request, reply) => {
    const page = await listAuditEvents(ctx, callerOf(request), request.query);
    if (page.nextCursor !== null) sendLinkToNext(request, reply, { cursor: page.nextCursor });
    return page;
  });

  const exportSchema = {
    ...common,
    summary: 'Export the audit trail (administrators)',
    description: 'Streamed as it is read. The export itself stands in the trail.',
    querystring: auditExportQuerySchema,
    response: { 200: exportedLinesSchema },
  };
  app.get(
    '/api/v1/audit/events/export',
    { preHandler, config, schema: exportSchema },
    async (request, reply) => {
      const { format, ...filters } = request.query;
      const pages = await exportAuditEvents(ctx, callerOf(request), filters, originOf(request));
      return sendRows(reply, { pages, format, name: 'audit-events', columns });
    },
  );
}
