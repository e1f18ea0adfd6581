import { isDeepStrictEqual } from 'node:util';
import { sql, type SQL } from 'drizzle-orm';
import { applications } from './tables.ts';
import type { Application } from './to-application-object.ts';

/** By these people recognise whom they deal with: an application that changes one is looked at anew. */
const looks = [
  'name',
  'type',
  'redirectUris',
  'logoUri',
  'clientUri',
  'policyUri',
  'termsUri',
] as const satisfies (keyof Application)[];

type Looks = Pick<Application, (typeof looks)[number]>;

/** Whether people would recognise one as the other. */
export function looksTheSame(one: Looks, other: Looks): boolean {
  return looks.every((look) => isDeepStrictEqual(one[look], other[look]));
}

/** The same, in `on conflict do update`: whether a row looks as it did before. */
export function looksLikeBefore(): SQL {
  const same = looks.map((look) => {
    const column = applications[look];
    return sql`${column} is not distinct from excluded.${sql.identifier(column.name)}`;
  });
  return sql.join(same, sql` and `);
}
