import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';

/** What can be taken elsewhere: `users` as `obol import users` reads them, `transactions` as they are. */
export const exportedTables = ['users', 'transactions'] as const;
export type ExportedTable = (typeof exportedTables)[number];

type Row = Record<string, unknown>;

const statements = {
  users: (after: string | null) =>
    sql`select id, person as row from auth.export_people(${after}, ${rowsAtOnceMax})`,
  transactions: (after: string | null) =>
    sql`select id, made as row from credits.export_transactions(${after}, ${rowsAtOnceMax})`,
};

const rowsAtOnceMax = 1000;

/** Every row of a table as a JSON line, a page at a time. What changes meanwhile may be in it or not. */
export async function* exportService(ctx: Ctx, table: ExportedTable): AsyncGenerator<string> {
  for (let after: string | null = null, count = rowsAtOnceMax; count === rowsAtOnceMax;) {
    const page: { id: string; row: Row }[] = await ctx.db.asService(async (tx) => {
      const { rows } = await tx.execute<{ id: string; row: Row }>(statements[table](after));
      return rows;
    });
    for (const { row } of page) yield `${JSON.stringify(withCredits(row, ctx.config.creditsScale))}\n`;
    count = page.length;
    after = page.at(-1)?.id ?? null;
  }
}

/** What a person holds is written in credits, as another service may count other units. */
function withCredits(row: Row, scale: number): Row {
  if (!('freeCredits' in row)) return row;
  return {
    ...row,
    credits: inCredits(row['credits'], scale),
    freeCredits: inCredits(row['freeCredits'], scale),
  };
}

function inCredits(units: unknown, scale: number): string {
  const digits = String(units).padStart(scale + 1, '0');
  return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
