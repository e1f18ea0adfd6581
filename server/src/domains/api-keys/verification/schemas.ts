import { Type, type Static } from 'typebox';
import { linePattern } from '../../../lib/line.ts';
import { personKeyScopes } from '../../../lib/scopes.ts';
import { amount, budgetSchema, credits, nullable, time } from '../schemas.ts';

const id = (description: string, example: string) =>
  Type.String({ format: 'uuid', description, examples: [example] });
const line = (maxLength: number, description: string, example: string) =>
  Type.String({ minLength: 1, maxLength, pattern: linePattern, description, examples: [example] });

const chargeBodySchema = Type.Object(
  {
    amount: amount('How many credits; a whole number.', 1),
    appId: line(100, 'The app that spends; of an application, its client id.', 'chat'),
    description: line(500, 'What for; stands in the history of the person.', 'One answer'),
    metadata: Type.Optional(
      nullable(
        Type.Record(Type.String(), Type.Unknown(), {
          description: 'Kept with the transaction.',
          examples: [{ model: 'small' }],
        }),
      ),
    ),
    idempotencyKey: Type.Optional(
      line(255, 'The first outcome of this key is given again to every later charge with it.', '5f6c1c0e-42'),
    ),
    onBehalfOf: Type.Optional(
      id('Whose credits, for the key of an application.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11'),
    ),
  },
  { description: 'What to spend with the key, if it is valid.' },
);

export const verificationBodySchema = Type.Object(
  {
    key: Type.String({ maxLength: 1000, description: 'The key to verify.', examples: ['obol_sk_4fJx…9QaZ'] }),
    charge: Type.Optional(chargeBodySchema),
  },
  { description: 'A key to verify, and what to spend with it.' },
);

const rateLimitSchema = Type.Object(
  {
    limit: Type.Integer({ description: 'Uses in a minute.', examples: [600] }),
    remaining: Type.Integer({ description: 'Left in this minute.', examples: [599] }),
    resetSeconds: Type.Integer({ description: 'Seconds until it begins anew.', examples: [60] }),
  },
  { description: 'How often the key may be used.' },
);

const chargeSchema = Type.Object(
  {
    transactionId: id('The transaction.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d15'),
    amount: credits('What was spent.', 1),
    available: credits('What the wallet can spend after it.', 149),
    replayed: Type.Boolean({
      description: 'Whether it is the outcome of an earlier charge.',
      examples: [false],
    }),
  },
  { description: 'What was spent.' },
);

const refusalSchema = Type.Object(
  {
    required: Type.Optional(credits('What is needed.', 200)),
    available: Type.Optional(credits('What is there.', 150)),
    remaining: Type.Optional(credits('What the mandate or budget leaves.', 50)),
    limit: Type.Optional(Type.String({ description: 'Which of its limits.', examples: ['allowance'] })),
    reason: Type.Optional(Type.String({ description: 'Why it is not in force.', examples: ['paused'] })),
    resetsAt: Type.Optional(nullable(time('When its next period begins.', '2026-04-01T00:00:00.000Z'))),
    mandateId: Type.Optional(id('The mandate or budget.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d13')),
  },
  { description: 'Why nothing was spent.' },
);

export const verificationSchema = Type.Object(
  {
    valid: Type.Boolean({
      description: 'Whether the key counts, and what was asked for was spent.',
      examples: [true],
    }),
    code: Type.String({ description: '`valid`, or why not; see the guide.', examples: ['valid'] }),
    keyId: nullable(id('The key.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d21')),
    name: nullable(Type.String({ description: 'What its owner calls it.', examples: ['Nightly import'] })),
    userId: nullable(id('The person whose key it is.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11')),
    applicationId: nullable(id('The application whose key it is.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d14')),
    scopes: Type.Array(Type.String(), { description: 'What it opens.', examples: [[...personKeyScopes]] }),
    expiresAt: nullable(time('When it ends.', '2027-03-01T12:00:00.000Z')),
    rateLimit: nullable(rateLimitSchema),
    budget: nullable(budgetSchema),
    charge: nullable(chargeSchema),
    refusal: nullable(refusalSchema),
  },
  { title: 'ApiKeyVerification', description: 'What a presented key is.' },
);

export type VerificationRequest = Static<typeof verificationBodySchema>;
export type ChargeRequest = Static<typeof chargeBodySchema>;
export type Verification = Static<typeof verificationSchema>;
