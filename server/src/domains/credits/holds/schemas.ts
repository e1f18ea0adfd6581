import { Type, type Static } from 'typebox';
import { pageQuery } from '../../../http/paging.ts';
import {
  amountSchema,
  credits,
  hashSchema,
  id,
  keySchema,
  nullable,
  sequenceSchema,
  spendBodySchema,
  time,
} from '../schemas.ts';

/** A week: what card networks allow an authorisation. */
const lifeSecondsMax = 604_800;
const lifeSecondsDefault = 900;

const statuses = ['open', 'captured', 'voided', 'expired'] as const;
const metadataSchema = spendBodySchema.properties.metadata;
const descriptionSchema = spendBodySchema.properties.description;

const expiresInSecondsSchema = Type.Integer({
  minimum: 1,
  maximum: lifeSecondsMax,
  default: lifeSecondsDefault,
  description: 'How long it lives from now on, unless it is extended.',
  examples: [900],
});

export const holdSchema = Type.Object(
  {
    id: id('The hold.'),
    walletId: id('The wallet whose credits are set aside.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d12'),
    appId: Type.String({ description: 'The app that it is for.', examples: ['chat'] }),
    mandateId: nullable(id('The mandate that it counts against.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d13')),
    amount: credits('Set aside in all.', 100),
    captured: credits('Spent of it, and above it.', 0),
    remaining: credits('Still set aside.', 100),
    status: Type.Enum([...statuses], {
      description: 'Whether it can still be captured.',
      examples: ['open'],
    }),
    description: Type.String({ description: 'What for.', examples: ['Chat answer'] }),
    metadata: nullable(
      Type.Record(Type.String(), Type.Unknown(), { description: 'What the app sent along.' }),
    ),
    expiresAt: time(
      'When it ends by itself; from then on it cannot be captured.',
      '2026-03-01T12:15:00.000Z',
    ),
    createdAt: time('When it was made.'),
    closedAt: nullable(time('When it ended.')),
  },
  { title: 'Hold', description: 'Credits set aside for work whose cost is not known yet.' },
);

const newBalanceSchema = Type.Object(
  {
    balance: credits('Paid credits, held ones included.', 0),
    freeCreditsRemaining: credits('Free credits, held ones included.', 150),
    totalSpent: credits('All credits ever spent.', 0),
    available: credits('What can be spent right now.', 50),
    held: credits('Set aside by holds.', 100),
  },
  { description: 'The wallet right after it.' },
);

export const movedHoldSchema = Type.Object(
  { ...holdSchema.properties, newBalance: newBalanceSchema },
  { title: 'MovedHold', description: 'A hold right after a request, with the wallet as it is then.' },
);

const told = 'The wallet right after it. An application without a mandate in force is not told.';
const toldMembers = {
  ...holdSchema.properties,
  newBalance: Type.Optional({ ...newBalanceSchema, description: told }),
};

export const toldHoldSchema = Type.Object(toldMembers, {
  title: 'VoidedHold',
  description: 'A hold right after its end, with the wallet as it is then.',
});

export const capturedHoldSchema = Type.Object(
  {
    ...toldMembers,
    transaction: Type.Object(
      {
        id: id('The capture.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d14'),
        amount: credits('What it changed; less than what was captured where a debt was left.', -40),
        createdAt: time('When it happened.'),
        sequence: sequenceSchema,
        hash: hashSchema,
      },
      { description: 'The spend that the capture is.' },
    ),
  },
  { title: 'CapturedHold', description: 'A hold right after a capture.' },
);

export const newHoldBodySchema = Type.Object(
  { ...spendBodySchema.properties, expiresInSeconds: expiresInSecondsSchema },
  { description: 'A hold.' },
);

export const extendBodySchema = Type.Object(
  {
    expiresInSeconds: expiresInSecondsSchema,
    amount: Type.Optional({ ...amountSchema, description: 'How many credits more to set aside.' }),
    idempotencyKey: Type.Optional(keySchema),
  },
  { description: 'More time, and more credits if `amount` is given.' },
);

export const captureBodySchema = Type.Object(
  {
    amount: amountSchema,
    final: Type.Boolean({
      default: true,
      description:
        'Whether the hold ends with it and gives the rest back; otherwise more captures may follow.',
      examples: [true],
    }),
    overrun: Type.Optional(
      Type.Enum(['refuse', 'spill'], {
        description:
          'What to do above the hold: refuse, or take the rest from other credits. For holds of your own; under a ' +
          'mandate its own policy counts.',
        examples: ['refuse'],
      }),
    ),
    description: Type.Optional(descriptionSchema),
    metadata: metadataSchema,
    idempotencyKey: Type.Optional(keySchema),
  },
  { description: 'What the work has cost.' },
);

export const voidBodySchema = Type.Object(
  { idempotencyKey: Type.Optional(keySchema) },
  { description: 'Nothing, or a key.' },
);

export const onBehalfOfSchema = spendBodySchema.properties.onBehalfOf;

export const walletIdSchema = spendBodySchema.properties.walletId;

export const holdsQuerySchema = Type.Object({
  ...pageQuery,
  status: Type.Optional(Type.Enum([...statuses], { description: 'Only these.', examples: ['open'] })),
  onBehalfOf: onBehalfOfSchema,
  walletId: walletIdSchema,
});

export const holdParamsSchema = Type.Object({ holdId: id('The hold.') });

export type HoldView = Static<typeof holdSchema>;
export type MovedHold = Static<typeof movedHoldSchema>;
export type ToldHold = Static<typeof toldHoldSchema>;
export type CapturedHold = Static<typeof capturedHoldSchema>;
export type NewHold = Static<typeof newHoldBodySchema>;
export type HoldExtension = Static<typeof extendBodySchema>;
export type HoldCapture = Static<typeof captureBodySchema>;
export type HoldsQuery = Static<typeof holdsQuerySchema>;
