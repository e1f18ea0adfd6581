import { Type, type Static } from 'typebox';
import { pageQuery } from '../../../http/paging.ts';
import { appIdSchema, credits, hashSchema, id, nullable, sequenceSchema, time } from '../schemas.ts';
import { transactionTypes } from '../tables.ts';

/** PostgreSQL knows no year 0. */
const day = (description: string) =>
  Type.String({ format: 'date', pattern: '^[1-9]', description, examples: ['2026-03-01'] });

const instant = (description: string) =>
  Type.String({ maxLength: 40, pattern: '^\\d{4}-\\d{2}-\\d{2}', description, examples: ['2026-03-01'] });

/** Where a wallet's chain ends: who keeps it can prove later that nothing before it was changed. */
const headSchema = Type.Object(
  {
    sequence: Type.Integer({ description: 'Of the last transaction; 0 before the first.', examples: [2] }),
    hash: hashSchema,
  },
  { description: "The head of the wallet's chain then." },
);

export const movementSchema = Type.Object({
  id: id('The transaction.'),
  sequence: sequenceSchema,
  createdAt: time('When it happened.'),
  type: Type.String({ description: 'What happened.', examples: ['usage'] }),
  appId: nullable(Type.String({ examples: ['chat'] })),
  description: Type.String({ examples: ['Chat message'] }),
  amount: credits('What it changed of the free and paid credits; 0 for a hold and its end.', -10),
  balanceAfter: credits('Free and paid credits after it.', 140),
  hash: hashSchema,
  setAside: credits('What a hold set aside; below 0 for what its end gave back, otherwise 0.', 0),
});

export const statementSchema = Type.Object(
  {
    month: nullable(Type.String({ description: 'The month, if one was asked for.', examples: ['2026-03'] })),
    from: time('Start of the period, inclusive.', '2026-03-01T00:00:00.000Z'),
    to: time('End of the period, exclusive.', '2026-04-01T00:00:00.000Z'),
    opening: credits('Free and paid credits at the start.', 0),
    closing: credits('Free and paid credits at the end; opening plus the amounts of all movements.', 140),
    openingHead: headSchema,
    closingHead: headSchema,
    movements: Type.Array(movementSchema, { description: 'Oldest first.' }),
  },
  { title: 'Statement', description: 'A period of a wallet.' },
);

export const statementQuerySchema = Type.Object({
  month: Type.Optional(
    Type.String({
      pattern: '^2\\d{3}-(0[1-9]|1[0-2])$',
      description: 'The month, in UTC; instead of `from` and `to`.',
      examples: ['2026-03'],
    }),
  ),
  from: Type.Optional(instant('Start of the period, inclusive; a date is its midnight in UTC.')),
  to: Type.Optional(instant('End of the period, exclusive; now when it is not given.')),
  format: Type.Optional(
    Type.Enum(['json', 'csv'], { description: 'Wins over `Accept`.', examples: ['csv'] }),
  ),
});

export const balanceAtSchema = Type.Object(
  {
    at: time('The instant.'),
    balance: credits('Paid credits.', 0),
    freeCreditsRemaining: credits('Free credits.', 150),
    held: credits('Set aside by holds.', 0),
    available: credits('What could be spent: free + paid − held.', 150),
    head: headSchema,
  },
  { title: 'BalanceAt', description: 'A wallet at a past instant.' },
);

export const balanceAtQuerySchema = Type.Object({
  at: instant('The instant, not in the future; a date is its midnight in UTC.'),
});

export const receiptSchema = Type.Object(
  {
    receipt: Type.String({
      description:
        'A compact JWS of type `obol-receipt+jwt`, verified with the keys of `/.well-known/jwks.json`. ' +
        'Its `hash` is SHA-256 over the bytes of `previousHash` and the UTF-8 of `sealed`.',
      examples: ['eyJhbGciOiJSUzI1NiIsInR5cCI6Im9ib2wtcmVjZWlwdCtqd3QifQ.eyJzdWIiOiIwMTljIn0.c2lnbmF0dXJl'],
    }),
  },
  { title: 'Receipt', description: 'A signed proof of a transaction.' },
);

export const transactionParamsSchema = Type.Object({ id: id('The transaction.') });

const usageMembers = {
  count: Type.Integer({ description: 'How many spends.', examples: [3] }),
  amount: credits('Credits spent.', 105),
};

export const usageSchema = Type.Object(
  {
    groupBy: Type.String({ examples: ['app'] }),
    totals: Type.Object(usageMembers),
    items: Type.Array(
      Type.Object({
        key: Type.String({
          description: 'The app, day or model; empty when no model was named.',
          examples: ['chat'],
        }),
        ...usageMembers,
      }),
    ),
  },
  { title: 'Usage', description: 'What has been spent, in groups.' },
);

export const usageQuerySchema = Type.Object({
  groupBy: Type.Enum(['app', 'day', 'model'], { default: 'app', description: 'What a group is.' }),
  from: Type.Optional(day('First day (UTC), inclusive.')),
  to: Type.Optional(day('Last day (UTC), inclusive.')),
  appId: Type.Optional(appIdSchema),
});

export const transactionsQuerySchema = Type.Object({
  ...pageQuery,
  cursor: Type.Optional(
    Type.String({
      maxLength: 40,
      description: 'Where the next page starts, from `Link`; instead of `offset`.',
    }),
  ),
  appId: Type.Optional(appIdSchema),
  type: Type.Optional(Type.Enum([...transactionTypes], { description: 'Only this type.' })),
  from: Type.Optional(instant('From this time on, inclusive; a date is its midnight in UTC.')),
  to: Type.Optional(instant('Up to this time, exclusive; a date is its midnight in UTC.')),
});

export type Movement = Static<typeof movementSchema>;
export type UsageView = Static<typeof usageSchema>;
export type BalanceAtView = Static<typeof balanceAtSchema>;
