import { Type, type Static, type TSchema } from 'typebox';
import { cursorQuery } from '../../http/cursor.ts';
import { auditActions } from './event-types.ts';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const exampleId = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11';
const instant = (description: string) =>
  Type.String({
    maxLength: 40,
    pattern: '^\\d{4}-\\d{2}-\\d{2}',
    description: `${description} A date is its midnight in UTC.`,
    examples: ['2026-03-01T12:00:00Z'],
  });

const auditFilters = {
  actor: Type.Optional(
    Type.String({
      format: 'uuid',
      description: 'Done by this person or application.',
      examples: [exampleId],
    }),
  ),
  subject: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'Done to this: the id of a person, an application, a wallet and so on.',
      examples: [exampleId],
    }),
  ),
  type: Type.Optional(Type.Enum(auditActions, { description: 'What was done.', examples: ['user.banned'] })),
  from: Type.Optional(instant('Since then, inclusive.')),
  to: Type.Optional(instant('Until then, exclusive.')),
};

export const auditQuerySchema = Type.Object({
  ...auditFilters,
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'At most this many.' }),
  ...cursorQuery,
});

export type AuditQuery = Static<typeof auditQuerySchema>;
export type AuditFilters = Omit<AuditQuery, 'limit' | 'cursor'>;

export const auditExportQuerySchema = Type.Object({
  ...auditFilters,
  format: Type.Enum(['jsonl', 'csv'], {
    default: 'jsonl',
    description: 'One JSON document per line, or CSV.',
  }),
});

const auditEventSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid', examples: [exampleId] }),
    type: Type.String({ description: 'What was done.', examples: ['user.banned'] }),
    actor: Type.Object({
      type: Type.Enum(['user', 'operator', 'system', 'application'], {
        description: '`operator` is the command line.',
      }),
      id: nullable(Type.String({ examples: [exampleId] })),
    }),
    subject: nullable(
      Type.Object({ type: Type.String({ examples: ['user'] }), id: Type.String({ examples: [exampleId] }) }),
    ),
    reason: nullable(Type.String({ examples: ['Sold access to others'] })),
    ipAddress: nullable(Type.String({ examples: ['192.0.2.1'] })),
    details: Type.Object({}, { additionalProperties: true, examples: [{}] }),
    createdAt: Type.String({ format: 'date-time', examples: ['2026-03-01T12:00:00.000Z'] }),
    sequence: nullable(
      Type.Integer({ description: 'Its link of the chain; null for about a minute.', examples: [7] }),
    ),
    hash: nullable(
      Type.String({ description: 'The hash of that link, hexadecimal.', examples: ['2f6a4c9e0d11…'] }),
    ),
  },
  { title: 'AuditEvent' },
);

export type AuditEventView = Static<typeof auditEventSchema>;

export const auditEventsSchema = Type.Object({
  events: Type.Array(auditEventSchema, { description: 'Newest first.' }),
  nextCursor: nullable(
    Type.String({
      description: 'The `cursor` of the next page; null on the last one.',
      examples: ['WyIyMDI2LTAzLTAxVDEyOjAwOjAwLjAwMFoiXQ'],
    }),
  ),
});

export type AuditEvents = Static<typeof auditEventsSchema>;

/** What an export answers: text, described by its first line. */
export const exportedLinesSchema = Type.Unsafe<unknown>({
  type: 'string',
  description: 'One JSON document per line (`application/x-ndjson`), or CSV.',
  examples: ['{"id":"019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11"}'],
});
