import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';

type Row = Record<string, unknown>;

/** What is held about a person in one place: a name for it, and its rows, page by page. */
export type PersonalSection = { name: string; rows: () => AsyncGenerator<Row> };

const rowsAtOnceMax = 500;

/**
 * Everything held about the caller, place by place: each row of theirs in every table, without secrets. Rows
 * are read while they are asked for, a page at a time, each in a transaction of its own that asks whether the
 * session lives. Throws `auth.session_ended`.
 */
export async function collectPersonalData(ctx: Ctx, caller: Caller): Promise<PersonalSection[]> {
  const sections = await ctx.db.asServiceFor(caller, async (tx) => {
    const { rows } = await tx.execute<{ name: string }>(
      sql`select s as name from auth.list_personal_sections() s`,
    );
    return rows;
  });
  return sections.map(({ name }) => ({ name: camelCase(name), rows: () => readRows(ctx, caller, name) }));
}

async function* readRows(ctx: Ctx, caller: Caller, section: string): AsyncGenerator<Row> {
  for (let after: Row | null = null, count = rowsAtOnceMax; count === rowsAtOnceMax;) {
    const page: Row[] = await ctx.db.asServiceFor(caller, async (tx) => {
      const last = after && JSON.stringify(after);
      const { rows } = await tx.execute<{ row: Row }>(sql`
        select r as row from auth.read_personal_rows(${caller.userId}, ${section}, ${last}, ${rowsAtOnceMax}) r`);
      return rows.map(({ row }) => row);
    });
    yield* page.map(withCamelCase);
    count = page.length;
    after = page.at(-1) ?? null;
  }
}

function withCamelCase(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [camelCase(name), value]));
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
