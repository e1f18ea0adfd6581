import { Type, type Static, type TSchema } from 'typebox';
import { linePattern } from '../../lib/line.ts';
import { applicationKeyScopes, personKeyScopes } from '../../lib/scopes.ts';

/** `type: [T, 'null']` rather than a union: the serialiser need not try the alternatives. */
export const nullable = <T extends TSchema & { type: string }>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] });

const exampleKeyId = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d21';
const exampleApplicationId = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d14';

export const time = (description: string, example = '2026-03-01T12:00:00.000Z') =>
  Type.String({ format: 'date-time', description, examples: [example] });
export const amount = (description: string, example: number) =>
  Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description, examples: [example] });
export const credits = (description: string, example: number) =>
  Type.Integer({ description, examples: [example] });

const keyIdSchema = Type.String({ format: 'uuid', description: 'The key.', examples: [exampleKeyId] });
const nameSchema = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: linePattern,
  description: 'What it is for, to recognise it by.',
  examples: ['Nightly import'],
});
const rateLimitSchema = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description: 'How often it may be used in a minute; null for no limit of its own.',
  examples: [600],
});
const expiresAtSchema = time('When it ends; null for never.', '2027-03-01T12:00:00.000Z');

const allowanceSchema = amount('How many credits per period.', 500);
const periodSchema = Type.Enum(['day', 'week', 'month', 'total'], {
  description: 'Calendar periods in UTC; weeks begin on Monday. `total` never begins anew.',
  examples: ['month'],
});
const kindsSchema = Type.Array(Type.Enum(['free', 'paid'], { examples: ['free'] }), {
  minItems: 1,
  maxItems: 2,
  uniqueItems: true,
  description: 'Which credits it may spend.',
  examples: [['free', 'paid']],
});
const maxPerSpendSchema = amount('Most for one spend or hold.', 50);

const newBudgetSchema = Type.Object(
  {
    allowance: allowanceSchema,
    period: { ...periodSchema, default: 'month' },
    kinds: { ...kindsSchema, default: ['free', 'paid'] },
    maxPerSpend: Type.Optional(nullable(maxPerSpendSchema)),
  },
  { description: 'What it may spend at most; without it, whatever its owner may.' },
);

const budgetChangesSchema = Type.Object(
  {
    allowance: Type.Optional(allowanceSchema),
    period: Type.Optional(periodSchema),
    kinds: Type.Optional(kindsSchema),
    maxPerSpend: Type.Optional(nullable(maxPerSpendSchema)),
  },
  { description: 'The terms to change; what was spent stays counted.' },
);

export const budgetSchema = Type.Object(
  {
    allowance: credits('How many credits per period.', 500),
    period: periodSchema,
    kinds: kindsSchema,
    maxPerSpend: nullable(credits('Most for one spend or hold.', 50)),
    used: credits('Charged in this period, open holds included.', 120),
    remaining: credits('Left in this period.', 380),
    resetsAt: nullable(time('When the next period begins.', '2026-04-01T00:00:00.000Z')),
    status: Type.String({ description: '`active`, `paused` or `revoked`.', examples: ['active'] }),
  },
  { description: 'What it may spend.' },
);

const scopesOf = (scopes: readonly [string, ...string[]]) =>
  Type.Array(Type.Enum([...scopes], { examples: [scopes[0]] }), {
    minItems: 1,
    uniqueItems: true,
    maxItems: scopes.length,
    description: 'What it opens.',
    examples: [[...scopes]],
  });

const newKeyFields = {
  name: nameSchema,
  rateLimit: Type.Optional(nullable(rateLimitSchema)),
  expiresAt: Type.Optional(nullable(expiresAtSchema)),
  budget: Type.Optional(nullable(newBudgetSchema)),
};

export const newPersonKeySchema = Type.Object(
  { ...newKeyFields, scopes: { ...scopesOf(personKeyScopes), default: [...personKeyScopes] } },
  { description: 'A key to make.' },
);

export const newApplicationKeySchema = Type.Object(
  { ...newKeyFields, scopes: { ...scopesOf(applicationKeyScopes), default: [...applicationKeyScopes] } },
  { description: 'A key to make for the application.' },
);

export const keyChangesSchema = Type.Object(
  { name: Type.Optional(nameSchema), budget: Type.Optional(budgetChangesSchema) },
  { description: 'What is absent stays as it is.', minProperties: 1 },
);

export const keyRotationSchema = Type.Object(
  {
    overlapSeconds: Type.Integer({
      minimum: 0,
      maximum: 30 * 86_400,
      default: 86_400,
      description: 'How long the key so far stays valid; 0 ends it now.',
      examples: [86_400],
    }),
  },
  { description: 'How to change over.' },
);

export const keyObjectSchema = Type.Object(
  {
    id: keyIdSchema,
    name: nameSchema,
    start: Type.String({ description: 'How it begins.', examples: ['obol_sk_4fJx'] }),
    lastFour: Type.String({ description: 'How it ends.', examples: ['9QaZ'] }),
    scopes: Type.Array(Type.String(), { description: 'What it opens.', examples: [[...personKeyScopes]] }),
    rateLimit: nullable(rateLimitSchema),
    budget: nullable(budgetSchema),
    expiresAt: nullable(expiresAtSchema),
    lastUsedAt: nullable(time('When it was used last, to the minute or so.')),
    createdAt: time('When it was made.'),
  },
  { title: 'ApiKey', description: 'An API key, without the secret.' },
);

const shownKey = Type.String({
  description: 'The key itself, shown this once.',
  examples: ['obol_sk_4fJx…9QaZ'],
});

export const createdKeySchema = Type.Object(
  { ...keyObjectSchema.properties, key: shownKey },
  { title: 'CreatedApiKey', description: 'An API key that was just made or rotated.' },
);

export const rotatedKeySchema = Type.Object(
  {
    ...createdKeySchema.properties,
    previousExpireAt: time('When the keys before it end.', '2026-03-02T12:00:00.000Z'),
  },
  { title: 'RotatedApiKey', description: 'An API key that was just rotated.' },
);

export const keyParamsSchema = Type.Object({ keyId: keyIdSchema });
export const applicationParamsSchema = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The application.', examples: [exampleApplicationId] }),
});
export const applicationKeyParamsSchema = Type.Object({
  ...applicationParamsSchema.properties,
  ...keyParamsSchema.properties,
});

export const doneSchema = Type.Object({
  success: Type.Literal(true, { examples: [true] }),
  message: Type.String({ examples: ['The key is revoked.'] }),
});

export type NewKey = Static<typeof newPersonKeySchema> | Static<typeof newApplicationKeySchema>;
export type NewBudget = Static<typeof newBudgetSchema>;
export type KeyChanges = Static<typeof keyChangesSchema>;
export type KeyObject = Static<typeof keyObjectSchema>;
export type CreatedKey = Static<typeof createdKeySchema>;
export type RotatedKey = Static<typeof rotatedKeySchema>;
export type Budget = Static<typeof budgetSchema>;
