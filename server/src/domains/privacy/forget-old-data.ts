import type { Ctx } from '../../ctx.ts';

/** Few enough that a statement takes milliseconds; what is left after a night is for the next. */
const rowsMax = 1000;
const turnsMax = 1000;

/** What is kept for how long, by the settings of that name; see `obol.forget_old`. */
const kinds = [
  ['security_events', 'securityEventsRetentionSeconds'],
  ['sessions', 'sessionsRetentionSeconds'],
  ['verification_tokens', 'sessionsRetentionSeconds'],
  ['access_requests', 'accessRequestsRetentionSeconds'],
  ['webhook_deliveries', 'webhookLogRetentionSeconds'],
  ['webhook_events', 'webhookLogRetentionSeconds'],
  ['import_notes', 'importNotesRetentionSeconds'],
] as const;

/** Job: removes what was kept for as long as the settings say, a few rows at a time; may run twice. */
export async function forgetOldData(ctx: Ctx): Promise<void> {
  for (const [kind, setting] of kinds) {
    const before = new Date(ctx.clock.now().getTime() - ctx.config[setting] * 1000);
    for (let turn = 0, rows = rowsMax; rows === rowsMax && turn < turnsMax; turn++) {
      const [row] = await ctx.db.call<{ rows: number }>('select obol.forget_old($1, $2, $3) as rows', [
        kind,
        before,
        rowsMax,
      ]);
      rows = row?.rows ?? 0;
    }
  }
}
