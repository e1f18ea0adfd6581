import { Type, type Static, type TSchema } from 'typebox';
import { cursorQuery } from '../../../http/cursor.ts';
import { pageQuery } from '../../../http/paging.ts';
import { linePattern } from '../../../lib/line.ts';
import { nameSchema, pictureSchema, usernameSchema, userSchema } from '../schemas.ts';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const exampleId = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11';
const instant = (description: string) =>
  Type.String({
    maxLength: 40,
    pattern: '^\\d{4}-\\d{2}-\\d{2}',
    description: `${description} A date is its midnight in UTC.`,
    examples: ['2026-03-01T12:00:00Z'],
  });
const timeSchema = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-03-01T12:00:00.000Z'] });

/** In the words of the administrator, for the audit trail. */
export const reasonSchema = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: linePattern,
  description: 'Why; it stands in the audit trail.',
  examples: ['Asked for it by mail'],
});

export const userIdSchema = Type.Object({
  userId: Type.String({ format: 'uuid', examples: [exampleId] }),
});

export const accountSchema = Type.Object(
  {
    ...userSchema.properties,
    deactivatedAt: nullable(timeSchema('Since when the account is not active.')),
    ban: nullable(
      Type.Object({
        reason: Type.String({ examples: ['Sold access to others'] }),
        since: timeSchema('When it began.'),
        until: nullable(timeSchema('When the account is activated again; null: only by an administrator.')),
      }),
    ),
  },
  { title: 'Account', description: 'A person as administrators see them.' },
);

export type Account = Static<typeof accountSchema>;

export const filterQuery = {
  search: Type.Optional(
    Type.String({
      maxLength: 254,
      description:
        'The beginning of an address, a username, a name or its last word, whatever the case; `@example.com` ' +
        'finds a domain.',
      examples: ['ada'],
    }),
  ),
  role: Type.Optional(Type.Enum(['user', 'admin'], { examples: ['admin'] })),
  isActive: Type.Optional(Type.Boolean({ description: 'False: deactivated and banned.', examples: [true] })),
  banned: Type.Optional(Type.Boolean({ description: 'Whether a ban is in force.', examples: [true] })),
  createdFrom: Type.Optional(instant('Registered since then, inclusive.')),
  createdTo: Type.Optional(instant('Registered until then, exclusive.')),
};

export const accountsQuerySchema = Type.Object({ ...filterQuery, ...pageQuery, ...cursorQuery });
export const exportQuerySchema = Type.Object({
  ...filterQuery,
  format: Type.Enum(['jsonl', 'csv'], {
    default: 'jsonl',
    description: 'One JSON document per line, or CSV.',
  }),
});

export type AccountsQuery = Static<typeof accountsQuerySchema>;
export type AccountFilters = Omit<Static<typeof exportQuerySchema>, 'format'>;

export const accountsSchema = Type.Array(accountSchema, { description: 'Newest first.' });

export const exportedLinesSchema = Type.Unsafe<unknown>({
  type: 'string',
  description: 'One JSON document per line (`application/x-ndjson`), or CSV.',
  examples: [`{"id":"${exampleId}"}`],
});

export const accountChangesSchema = Type.Object(
  {
    name: Type.Optional(nullable(nameSchema)),
    username: Type.Optional(nullable(usernameSchema)),
    picture: Type.Optional(nullable(pictureSchema)),
    reason: Type.Optional(reasonSchema),
  },
  { description: 'What is absent stays as it is; null empties a field.' },
);

export const roleBodySchema = Type.Object({
  role: Type.Enum(['user', 'admin'], { examples: ['admin'] }),
  reason: Type.Optional(reasonSchema),
});

export const reasonQuerySchema = Type.Object({ reason: Type.Optional(reasonSchema) });
export const reasonBodySchema = Type.Object({ reason: Type.Optional(reasonSchema) });

export const banBodySchema = Type.Object({
  reason: reasonSchema,
  until: Type.Optional(
    nullable(instant('When the account is activated again, to the minute; for good without it.')),
  ),
});

export type Ban = Static<typeof banBodySchema>;
