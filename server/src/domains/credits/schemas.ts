import { Type, type Static, type TSchema } from 'typebox';
import { linePattern } from '../../lib/line.ts';
import { pageQuery } from '../../http/paging.ts';
import { transactionTypes } from './tables.ts';

/** 2^53 − 1: the largest integer that every JSON reader keeps exact. */
const amountMax = 9_007_199_254_740_991;
/** `type: [T, 'null']` rather than a union: the serialiser need not try the alternatives. */
export const nullable = <T extends TSchema & { type: string }>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] });
export const credits = (description: string, example: number) =>
  Type.Integer({ description, examples: [example] });
export const id = (description: string, example = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11') =>
  Type.String({ format: 'uuid', description, examples: [example] });
export const time = (description: string, example = '2026-03-01T12:00:00.000Z') =>
  Type.String({ format: 'date-time', description, examples: [example] });

/** Texts without control characters; they end up in journals, tables and CSV files. */
export const line = (maxLength: number, options: { description: string; examples: string[] }) =>
  Type.String({ minLength: 1, maxLength, pattern: linePattern, ...options });

export const amountSchema = Type.Integer({
  minimum: 1,
  maximum: amountMax,
  description: 'How many credits; a whole number.',
  examples: [10],
});
export const appIdSchema = line(100, { description: 'The app that spends.', examples: ['chat'] });
export const keySchema = line(255, {
  description: 'The first answer to this key is given again to every later request with it.',
  examples: ['5f6c1c0e-chat-42'],
});

const scaleSchema = Type.Integer({
  description: 'Decimal places of a credit: amounts count units of 10^-scale credits.',
  examples: [0],
});

export const balanceSchema = Type.Object(
  {
    balance: credits('Paid credits.', 0),
    freeCreditsRemaining: credits('Free credits: bonus, daily, gifts.', 150),
    totalEarned: credits('All credits that ever came in.', 150),
    totalSpent: credits('All credits ever spent.', 0),
    available: credits('What can be spent right now: free + paid − held.', 150),
    held: credits('Set aside by holds.', 0),
    debt: credits('Owed; the next credits that come in repay it.', 0),
    dailyFreeCredits: credits('Free credits granted every 24 hours.', 5),
    nextDailyAt: time('When the next daily credits are due.', '2026-03-02T12:00:00.000Z'),
    status: Type.String({ description: '`active`, `frozen` or `closed`.', examples: ['active'] }),
    scale: scaleSchema,
    lots: Type.Array(
      Type.Object({
        id: id('The lot.'),
        source: Type.String({ description: 'Where the credits came from.', examples: ['signup'] }),
        kind: Type.String({ description: '`free` or `paid`.', examples: ['free'] }),
        remaining: credits('What is left of it, held credits included.', 150),
        expiresAt: nullable(time('When the rest expires, if ever.')),
      }),
      {
        description:
          'Credits that came in together, in the order in which they are spent; the first hundred of them.',
      },
    ),
  },
  { title: 'Balance', description: 'A wallet at this moment.' },
);

export const spendBodySchema = Type.Object(
  {
    amount: amountSchema,
    appId: appIdSchema,
    description: line(500, { description: 'What for; the person reads it.', examples: ['Chat message'] }),
    idempotencyKey: Type.Optional(keySchema),
    metadata: Type.Optional(
      nullable(
        Type.Record(Type.String(), Type.Unknown(), {
          description: 'Anything the app wants to find again; `model` is counted in the usage statistics.',
          examples: [{ model: 'gpt-5', tokens: 812 }],
        }),
      ),
    ),
    onBehalfOf: Type.Optional(
      id(
        'The person whose credits are spent; for applications that ask with their own credentials.',
        '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d12',
      ),
    ),
    walletId: Type.Optional(
      Type.String({
        format: 'uuid',
        description: 'The wallet of a team that you are in; your own by default.',
      }),
    ),
  },
  { description: 'A spend.' },
);

export const spendHeadersSchema = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'The same as `idempotencyKey` in the body.' }),
  ),
});

export const sequenceSchema = Type.Integer({
  description: "Its place in the wallet's history, without gaps.",
  examples: [2],
});
export const hashSchema = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: "Seals it and all before it: the head of the wallet's chain after it.",
  examples: ['6b1f0c6e2f4c8f0f5f0f4a2a1de9b2f1c3a4d5e6f708192a3b4c5d6e7f809102'],
});

const transactionMembers = {
  id: id('The transaction.'),
  type: Type.Enum([...transactionTypes], { description: 'What happened.', examples: ['usage'] }),
  status: Type.String({ description: '`completed`.', examples: ['completed'] }),
  amount: credits('What it changed: negative for a spend.', -10),
  balanceBefore: credits('Free and paid credits before it.', 150),
  balanceAfter: credits('Free and paid credits after it.', 140),
  appId: nullable(Type.String({ description: 'The app that spent.', examples: ['chat'] })),
  description: Type.String({ description: 'What for.', examples: ['Chat message'] }),
  metadata: nullable(Type.Record(Type.String(), Type.Unknown(), { description: 'What the app sent along.' })),
  idempotencyKey: nullable(
    Type.String({ description: 'The key of the request.', examples: ['order-2026-0001'] }),
  ),
  createdAt: time('When it happened.'),
  sequence: sequenceSchema,
  hash: hashSchema,
};

export const transactionSchema = Type.Object(
  {
    ...transactionMembers,
    reversesId: nullable(
      id('The transaction that it gives back or takes back, as refunds and clawbacks do.'),
    ),
    entries: Type.Array(
      Type.Object({
        account: Type.String({ description: 'The account.', examples: ['revenue:chat'] }),
        amount: credits('What was added to the account.', 10),
        lotId: nullable(id('The lot that it came from or went to.')),
      }),
      { description: 'The sides of the transaction; they sum to zero.' },
    ),
  },
  { title: 'Transaction', description: 'One thing that happened to a wallet.' },
);

export const spendAnswerSchema = Type.Object(
  {
    success: Type.Literal(true),
    transaction: Type.Object(transactionMembers),
    newBalance: Type.Object({
      balance: credits('Paid credits.', 0),
      freeCreditsRemaining: credits('Free credits.', 140),
      totalSpent: credits('All credits ever spent.', 10),
      available: credits('What can be spent right now.', 140),
    }),
  },
  { title: 'Spend', description: 'The spend went through.' },
);

export const packageSchema = Type.Object(
  {
    id: Type.String({ examples: ['standard'] }),
    name: Type.String({ examples: ['Standard'] }),
    description: nullable(Type.String({ description: 'What it is good for.', examples: ['For a month'] })),
    credits: credits('What it brings.', 1000),
    scale: scaleSchema,
    priceCents: Type.Integer({ description: 'Price in the minor unit.', examples: [1000] }),
    currency: Type.String({ description: 'ISO 4217.', examples: ['EUR'] }),
    prices: Type.Array(
      Type.Object({
        currency: Type.String({ description: 'ISO 4217.', examples: ['USD'] }),
        priceCents: Type.Integer({ description: 'Price in the minor unit.', examples: [1100] }),
      }),
      { description: 'What it costs in further currencies.' },
    ),
    taxBehavior: Type.String({
      description: 'Whether prices include tax: `inclusive`, `exclusive` (on top) or `unspecified`.',
      examples: ['inclusive'],
    }),
    active: Type.Boolean({ description: 'Whether it can be bought.' }),
    version: Type.Integer({ description: 'Counts its changes.', examples: [1] }),
  },
  { title: 'Package', description: 'Credits for sale.' },
);

export const purchaseSchema = Type.Object(
  {
    id: id('The purchase.'),
    packageId: nullable(Type.String({ examples: ['standard'] })),
    credits: credits('Credits bought.', 1000),
    priceCents: Type.Integer({ description: 'Price in the minor unit.', examples: [1000] }),
    currency: Type.String({ description: 'ISO 4217.', examples: ['EUR'] }),
    provider: Type.String({ description: 'Who took the payment.', examples: ['stripe'] }),
    status: Type.String({
      description: '`pending`, `completed`, `failed`, `refunded` or `disputed`.',
      examples: ['completed'],
    }),
    transactionId: nullable(id('The transaction that brought the credits in.')),
    createdAt: time('When the checkout began.'),
    completedAt: nullable(time('When the credits were in the wallet.')),
  },
  { title: 'Purchase', description: 'A sale of credits.' },
);

export const pageQuerySchema = Type.Object(pageQuery);

export type SpendAnswer = Static<typeof spendAnswerSchema>;
export type TransactionView = Static<typeof transactionSchema>;
export type PackageView = Static<typeof packageSchema>;
export type PurchaseView = Static<typeof purchaseSchema>;
