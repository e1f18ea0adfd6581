import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { recordAuditEvent } from '../audit/index.ts';
import { findPerson } from './find-person.ts';

type Row = Record<string, unknown>;

/** What is held about a person in one place: a name for it, and its rows, page by page. */
export type PersonalSection = { name: string; rows: () => AsyncGenerator<Row> };

const rowsAtOnceMax = 500;

/**
 * Everything held about the caller, place by place: each row of theirs in every table, without secrets. Rows
 * are read while they are asked for, a page at a time, each in a transaction of its own that asks whether the
 * session lives. Throws `auth.session_ended`.
 */
export function collectPersonalData(ctx: Ctx, caller: Caller): Promise<PersonalSection[]> {
  return collect(caller.userId, (work) => ctx.db.asServiceFor(caller, work));
}

/**
 * The same about whoever has an address, for the operator whom they asked by other means; it stands in the
 * audit trail with the reason. Throws `users.unknown_email`.
 */
export async function collectDataForOperator(
  ctx: Ctx,
  { email, reason }: { email: string; reason?: string | undefined },
): Promise<{ id: string; sections: PersonalSection[] }> {
  const id = await ctx.db.asService(async (tx) => {
    const person = await findPerson(tx, email);
    const [actor, target] = [{ type: 'operator' as const }, { type: 'user', id: person.id }];
    await recordAuditEvent(ctx, tx, { action: 'user.exported', actor, target, reason });
    return person.id;
  });
  return { id, sections: await collect(id, (work) => ctx.db.asService(work)) };
}

/** Does some of it in a transaction of the service, which may ask for whom. */
type Enter = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

async function collect(userId: string, enter: Enter): Promise<PersonalSection[]> {
  const sections = await enter(async (tx) => {
    const { rows } = await tx.execute<{ name: string }>(
      sql`select s as name from auth.list_personal_sections() s`,
    );
    return rows;
  });
  return sections.map(({ name }) => ({
    name: camelCase(name),
    rows: () => readRows(enter, { userId, section: name }),
  }));
}

type Wanted = { userId: string; section: string };

async function* readRows(enter: Enter, { userId, section }: Wanted): AsyncGenerator<Row> {
  for (let after: Row | null = null, count = rowsAtOnceMax; count === rowsAtOnceMax;) {
    const page: Row[] = await enter(async (tx) => {
      const last = after && JSON.stringify(after);
      const { rows } = await tx.execute<{ row: Row }>(sql`
        select r as row from auth.read_personal_rows(${userId}, ${section}, ${last}, ${rowsAtOnceMax}) r`);
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
