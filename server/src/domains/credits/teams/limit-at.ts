import { sql, type SQL } from 'drizzle-orm';
import type { MemberLimit } from './schemas.ts';

/** What a member may spend at an instant, from their mandate `m`; null when that is everything. */
export function limitAt(instant: string): SQL<MemberLimit> {
  return sql`case when m.allowance < 9007199254740991 or m.spend_max is not null or cardinality(m.kinds) < 2 then (
    select jsonb_build_object('allowance', v.view->'allowance', 'period', v.view->'period', 'kinds', v.view->'kinds',
             'maxPerSpend', v.view->'maxPerSpend', 'used', v.view->'used', 'remaining', v.view->'remaining',
             'resetsAt', v.view->'resetsAt')
      from (select credits.mandate_view(m, ${instant}::timestamptz) as view) v) end`;
}
