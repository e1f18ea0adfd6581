import { Type, type Static, type TSchema } from 'typebox';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const link = (example: string) => nullable(Type.String({ examples: [example] }));
const credits = (description: string, example: number) => Type.Integer({ description, examples: [example] });
const exampleId = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d31';
const idSchema = Type.String({ format: 'uuid', examples: [exampleId] });
const timeSchema = (description: string) => Type.String({ format: 'date-time', description });

const connectedApplicationSchema = Type.Object({
  id: idSchema,
  clientId: Type.String({ examples: ['app_5f6c1c0e9d3b4a7c8e2f1a0b9c8d7e6f'] }),
  name: Type.String({ examples: ['Notes'] }),
  logoUri: link('https://notes.example.com/logo.png'),
  clientUri: link('https://notes.example.com/'),
  policyUri: link('https://notes.example.com/privacy'),
  termsUri: link('https://notes.example.com/terms'),
  isVerified: Type.Boolean({
    description: 'Whether the operator has looked at who is behind it.',
    examples: [true],
  }),
});

const detailSchema = Type.Object(
  {
    type: Type.String({ description: '`credits_spend` is a budget.', examples: ['credits_spend'] }),
    mandateId: Type.Optional(idSchema),
    allowance: Type.Optional(credits('How many credits per period.', 500)),
    period: Type.Optional(Type.String({ examples: ['month'] })),
    maxPerSpend: Type.Optional(nullable(credits('Most for one spend.', 50))),
    kinds: Type.Optional(Type.Array(Type.String(), { examples: [['free', 'paid']] })),
    expiresAt: Type.Optional(nullable(timeSchema('When it ends.'))),
    used: Type.Optional(credits('Charged in this period.', 120)),
    remaining: Type.Optional(credits('Left in this period.', 380)),
    resetsAt: Type.Optional(nullable(timeSchema('When the next period begins.'))),
    status: Type.Optional(
      Type.String({ description: '`active`, `paused` or `expired`.', examples: ['active'] }),
    ),
  },
  { additionalProperties: true, title: 'AuthorizationDetail' },
);

const grantObjectSchema = Type.Object(
  {
    id: idSchema,
    application: connectedApplicationSchema,
    scopes: Type.Array(Type.String(), {
      description: 'What it may do, as it asked.',
      examples: [['openid', 'credits:spend']],
    }),
    authorizationDetails: Type.Array(detailSchema, {
      description: 'What it may do in detail, and how much of each budget is used.',
    }),
    firstUsedAt: timeSchema('When you let it in.'),
    lastUsedAt: nullable(timeSchema('When it was given a token last.')),
  },
  { title: 'ConnectedApp' },
);

/** An application that a person has let in, as they see it. */
export type GrantObject = Static<typeof grantObjectSchema>;

export const grantsSchema = Type.Object({ grants: Type.Array(grantObjectSchema) });
export const grantIdSchema = Type.Object({ id: idSchema });
