import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { readAuditPage } from './list-audit-events.ts';
import { recordAuditEvent, type RequestOrigin } from './record-audit-event.ts';
import type { AuditEventView, AuditFilters } from './schemas.ts';

const rowsPerPage = 1000;

/**
 * The trail as pages of rows that are read while they are sent, newest first, for administrators; that it was
 * exported stands in it. Who stops being an administrator on the way gets no further page. Throws
 * `auth.session_ended`, `auth.admin_required`.
 */
export async function exportAuditEvents(
  ctx: Ctx,
  caller: Caller,
  filters: AuditFilters,
  origin: RequestOrigin,
): Promise<AsyncIterable<AuditEventView[]>> {
  await ctx.db.asAdministrator(caller, (tx) =>
    recordAuditEvent(
      ctx,
      tx,
      { action: 'audit.exported', actor: { type: 'user', id: caller.userId }, details: { ...filters } },
      origin,
    ),
  );
  return readPages(ctx, caller, filters);
}

async function* readPages(ctx: Ctx, caller: Caller, filters: AuditFilters): AsyncGenerator<AuditEventView[]> {
  let last: string[] | undefined;
  for (let isMore = true; isMore;) {
    const at = last;
    const page = await ctx.db.asAdministrator(caller, (tx) =>
      readAuditPage(tx, { filters, limit: rowsPerPage, last: at }),
    );
    const end = page.events.at(-1);
    last = end && [end.createdAt, end.id];
    isMore = page.nextCursor !== null;
    yield page.events;
  }
}
