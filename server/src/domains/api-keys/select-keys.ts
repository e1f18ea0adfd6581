import { sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { toIso } from '../../lib/to-iso.ts';
import type { Budget, KeyObject } from './schemas.ts';

type KeyRow = {
  id: string;
  name: string;
  start: string;
  lastFour: string;
  scopes: string[];
  rateLimit: number | null;
  budget: Budget | null;
  expiresAt: Date | string | null;
  lastUsedAt: Date | string | null;
  createdAt: Date | string;
};

/**
 * Keys as the API shows them, the newest first, by the secret without an end of its own, which is the
 * youngest. `tx` is the service's.
 */
export async function selectKeys(ctx: Ctx, tx: Tx, condition: SQL | undefined): Promise<KeyObject[]> {
  const at = ctx.clock.now().toISOString();
  const { rows } = await tx.execute<KeyRow>(sql`
    select api_keys.id, api_keys.name, s.start, s.last_four as "lastFour", api_keys.scopes,
           api_keys.rate_limit as "rateLimit", api_keys.expires_at as "expiresAt",
           api_keys.last_used_at as "lastUsedAt", api_keys.created_at as "createdAt",
           case when m.id is not null then credits.mandate_view(m, ${at}::timestamptz) end as budget
      from auth.api_keys
     cross join lateral (
       select o.start, o.last_four from auth.api_key_secrets o
        where o.key_id = api_keys.id order by o.expires_at desc, o.created_at desc, o.id desc limit 1) s
      left join credits.mandates m on m.key_id = api_keys.id
     where ${condition ?? sql`true`}
     order by api_keys.created_at desc, api_keys.id desc`);
  return rows.map((row) => ({
    ...row,
    expiresAt: toIso(row.expiresAt),
    lastUsedAt: toIso(row.lastUsedAt),
    createdAt: toIso(row.createdAt),
  }));
}

/** One key as the API shows it. Throws `request.not_found`. */
export async function selectKey(ctx: Ctx, tx: Tx, id: string): Promise<KeyObject> {
  const [key] = await selectKeys(ctx, tx, sql`api_keys.id = ${id}`);
  if (!key) throw new AppError('request.not_found');
  return key;
}
