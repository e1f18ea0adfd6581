import { Type, type Static } from 'typebox';
import { onBehalfOfSchema, walletIdSchema } from '../holds/schemas.ts';
import { amountSchema, appIdSchema, credits, id, nullable, spendBodySchema, time } from '../schemas.ts';
import { kinds } from '../tables.ts';

const periods = ['day', 'week', 'month', 'total'] as const;
const overruns = ['refuse', 'spill', 'debt'] as const;
const exampleKey = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d21';
const exampleMandate = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d13';

const allowanceSchema = { ...amountSchema, description: 'How many credits per period.', examples: [500] };
const periodSchema = Type.Enum([...periods], {
  description: 'Calendar periods in UTC; weeks begin on Monday. `total` never begins anew.',
  examples: ['month'],
});
const kindsSchema = Type.Array(Type.Enum([...kinds], { examples: ['free'] }), {
  minItems: 1,
  maxItems: 2,
  uniqueItems: true,
  description: 'Which credits may be spent.',
  examples: [['free', 'paid']],
});
const maxPerSpendSchema = { ...amountSchema, description: 'Most for one spend or hold.', examples: [50] };
const overrunSchema = Type.Enum([...overruns], {
  description:
    'What a capture above its hold does: it is refused, spills to other credits, or leaves what these do not ' +
    'have as a debt, which credits of any kind repay: only where both kinds may be spent.',
  examples: ['refuse'],
});
const overrunMaxSchema = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description:
    'With `debt`: the most that the wallet may owe after it; the service has a limit of its own, which counts, too.',
  examples: [0],
});
const expiresAtSchema = time('When it ends.', '2027-03-01T12:00:00.000Z');

export const mandateSchema = Type.Object(
  {
    id: id('The mandate.', exampleMandate),
    walletId: id('The wallet that it is about.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d12'),
    appId: nullable(
      Type.String({
        description: 'The client id of the app that may spend; null for a key.',
        examples: ['chat'],
      }),
    ),
    keyId: nullable(id('The API key whose budget it is; null for an app.', exampleKey)),
    allowance: credits('How many credits per period.', 500),
    period: periodSchema,
    kinds: kindsSchema,
    maxPerSpend: nullable(credits('Most for one spend or hold.', 50)),
    overrun: overrunSchema,
    overrunMax: credits('With `debt`: the most that the wallet may owe.', 0),
    used: credits('Charged in this period, open holds included.', 120),
    remaining: credits('Left in this period.', 380),
    periodStartedAt: time('When this period began.', '2026-03-01T00:00:00.000Z'),
    resetsAt: nullable(time('When the next one begins.', '2026-04-01T00:00:00.000Z')),
    status: Type.String({
      description: '`active`, `paused`, `revoked` or `expired`.',
      examples: ['active'],
    }),
    expiresAt: nullable(expiresAtSchema),
    createdAt: time('When it was given.'),
    updatedAt: time('When its terms were changed last.'),
  },
  { title: 'Mandate', description: "A person's consent that an app may spend." },
);

export const newMandateBodySchema = Type.Object(
  {
    appId: { ...appIdSchema, description: 'The client id of the app that may spend.' },
    allowance: allowanceSchema,
    period: periodSchema,
    kinds: { ...kindsSchema, default: ['free', 'paid'] },
    maxPerSpend: Type.Optional(nullable(maxPerSpendSchema)),
    overrun: { ...overrunSchema, default: 'refuse' },
    overrunMax: { ...overrunMaxSchema, default: 0 },
    expiresAt: Type.Optional(nullable(expiresAtSchema)),
  },
  { description: 'A mandate to give.' },
);

export const mandateChangesBodySchema = Type.Object(
  {
    allowance: Type.Optional(allowanceSchema),
    period: Type.Optional(periodSchema),
    kinds: Type.Optional(kindsSchema),
    maxPerSpend: Type.Optional(nullable(maxPerSpendSchema)),
    overrun: Type.Optional(overrunSchema),
    overrunMax: Type.Optional(overrunMaxSchema),
    expiresAt: Type.Optional(nullable(expiresAtSchema)),
    status: Type.Optional(
      Type.Enum(['active', 'paused'], { description: 'Pause it, or go on.', examples: ['paused'] }),
    ),
  },
  { description: 'The terms to change.' },
);

const limitSchema = Type.Object({
  limit: Type.String({
    description: '`wallet`, `mandate`, `funds`, `allowance` or `maxPerSpend`.',
    examples: ['allowance'],
  }),
  amount: credits('What it leaves; 0 for a wallet or mandate that is not in force.', 380),
  until: nullable(time('Until when, where a period ends it.', '2026-04-01T00:00:00.000Z')),
});
const limitsSchema = Type.Array(limitSchema, { description: 'All limits, the one that binds first.' });

export const effectiveBalanceSchema = Type.Object(
  {
    mandateId: id('The mandate.', exampleMandate),
    effective: credits('What one spend may take right now: the minimum of all limits.', 50),
    binds: limitSchema.properties.limit,
    limits: limitsSchema,
  },
  { title: 'EffectiveBalance', description: 'What an app may really spend.' },
);

export const quoteBodySchema = Type.Object(
  {
    amount: amountSchema,
    appId: appIdSchema,
    description: Type.Optional(spendBodySchema.properties.description),
    metadata: spendBodySchema.properties.metadata,
    onBehalfOf: onBehalfOfSchema,
    walletId: walletIdSchema,
  },
  { description: 'A spend that is only asked about.' },
);

export const quoteSchema = Type.Object(
  {
    passes: Type.Boolean({ description: 'Whether the spend would go through right now.', examples: [true] }),
    blockedBy: nullable(
      Type.Object(
        {
          code: Type.String({
            description: 'The code that the spend would be refused with.',
            examples: ['credits.insufficient'],
          }),
          required: Type.Optional(credits('What is needed.', 200)),
          available: Type.Optional(credits('What is there.', 150)),
          remaining: Type.Optional(credits('What the mandate leaves.', 50)),
          limit: Type.Optional(Type.String({ description: 'Which of its limits.', examples: ['allowance'] })),
          reason: Type.Optional(
            Type.String({ description: 'Why the mandate is not in force.', examples: ['paused'] }),
          ),
          mandateId: Type.Optional(id('The mandate.', exampleMandate)),
        },
        { description: 'What stands in the way.' },
      ),
    ),
    passesAt: nullable(
      time(
        'When it would go through, if nobody does anything until then: by daily credits, holds that expire, or a ' +
          'new period. Null when it passes now, or never.',
        '2026-03-02T12:00:00.000Z',
      ),
    ),
    lots: Type.Array(
      Type.Object({
        id: id('The lot.'),
        source: Type.String({ description: 'Where the credits came from.', examples: ['signup'] }),
        kind: Type.String({ description: '`free` or `paid`.', examples: ['free'] }),
        amount: credits('What would be taken of it.', 10),
        expiresAt: nullable(time('When the rest expires, if ever.')),
      }),
      { description: 'What it would take, in order.' },
    ),
    effective: credits('What one spend may take right now.', 150),
    binds: limitSchema.properties.limit,
    limits: limitsSchema,
  },
  { title: 'Quote', description: 'What a spend would come to.' },
);

export const mandateParamsSchema = Type.Object({ mandateId: id('The mandate.', exampleMandate) });
export const mandatesQuerySchema = Type.Object({ onBehalfOf: onBehalfOfSchema });

export type MandateView = Static<typeof mandateSchema>;
export type NewMandate = Static<typeof newMandateBodySchema>;
export type MandateChanges = Static<typeof mandateChangesBodySchema>;
export type EffectiveBalance = Static<typeof effectiveBalanceSchema>;
export type LimitView = Static<typeof limitSchema>;
export type QuoteRequest = Static<typeof quoteBodySchema>;
export type Quote = Static<typeof quoteSchema>;
