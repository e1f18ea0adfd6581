import { Type } from 'typebox';

export const exportQuerySchema = Type.Object({
  format: Type.Optional(
    Type.Enum(['json', 'zip'], { description: 'How the archive is written; `Accept` says it, too.' }),
  ),
});

export const personalDataSchema = Type.Object(
  {
    exportedAt: Type.String({ format: 'date-time', examples: ['2026-03-01T12:00:00.000Z'] }),
    sections: Type.Record(Type.String(), Type.Array(Type.Object({}, { additionalProperties: true })), {
      description: 'By table: every row of it that is yours, without secrets.',
    }),
  },
  { title: 'PersonalData', description: 'Everything held about a person.' },
);

export const erasureQuerySchema = Type.Object({
  erase: Type.Optional(
    Type.Enum(['true', 'false'], {
      description: 'Erases for good, which nobody can undo; otherwise the account is deactivated.',
      examples: ['true'],
    }),
  ),
});

export const erasureBodySchema = Type.Object({
  currentPassword: Type.Optional(
    Type.String({
      maxLength: 4096,
      description: 'The password of the account; whoever has none signs in anew instead.',
      examples: ['Test1234!'],
    }),
  ),
});

export const erasedSchema = Type.Object({
  success: Type.Literal(true),
  message: Type.String({ examples: ['The account is erased.'] }),
});
