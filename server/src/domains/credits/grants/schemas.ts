import { Type, type Static } from 'typebox';
import { amountSchema, credits, id, keySchema, line, time, transactionSchema } from '../schemas.ts';
import { kinds } from '../tables.ts';

export const keyHeadersSchema = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'The same as `idempotencyKey` in the body.' }),
  ),
});

const key = { idempotencyKey: Type.Optional(keySchema) };
const wallet = {
  userId: Type.Optional(id('Whose wallet; this or `walletId`.')),
  walletId: Type.Optional(Type.String({ format: 'uuid', description: 'Which wallet, also of a team.' })),
};
const why = (example: string) => line(500, { description: 'Why; the person reads it.', examples: [example] });

export const kindSchema = Type.Enum([...kinds], {
  default: 'free',
  description: 'Free credits are spent before paid ones.',
});
export const prioritySchema = Type.Integer({
  minimum: 0,
  maximum: 1000,
  default: 100,
  description: 'Within a kind, lower ones are spent first.',
});

export const grantBodySchema = Type.Object(
  {
    ...wallet,
    amount: amountSchema,
    kind: kindSchema,
    source: Type.Enum(['gift', 'adjustment', 'subscription', 'purchase'], {
      default: 'gift',
      description: '`purchase` and `subscription` are credits paid for outside of this service.',
    }),
    priority: prioritySchema,
    expiresAt: Type.Optional(time('When what is left expires.', '2026-12-31T23:59:59.000Z')),
    description: why('Thank you for your patience'),
    ...key,
  },
  { description: 'Credits to give.' },
);

export const adjustmentBodySchema = Type.Object(
  { ...wallet, amount: amountSchema, description: why('Granted twice by mistake'), ...key },
  { description: 'Credits to take away.' },
);

export const refundBodySchema = Type.Object(
  {
    transactionId: id('The spend or capture to give back.'),
    amount: Type.Optional({
      ...amountSchema,
      description: 'How many of its credits; all that are left by default.',
    }),
    reason: why('The answer was cut off'),
    ...key,
  },
  { description: 'What to give back.' },
);

export const clawbackBodySchema = Type.Object(
  {
    transactionId: id('The transaction that brought the credits in.'),
    amount: Type.Optional({
      ...amountSchema,
      description: 'How many of its credits; all that are left by default.',
    }),
    reason: why('The payment was charged back'),
    ...key,
  },
  { description: 'What to take back.' },
);

export const movementAnswerSchema = Type.Object(
  {
    success: Type.Literal(true),
    transaction: transactionSchema,
    newBalance: Type.Object({
      balance: credits('Paid credits.', 0),
      freeCreditsRemaining: credits('Free credits.', 250),
      totalSpent: credits('All credits ever spent, less what was given back.', 10),
      available: credits('What can be spent right now.', 250),
      debtChange: credits('By how much the transaction changed what the wallet owes.', 0),
    }),
  },
  { title: 'Movement', description: 'The credits have moved.' },
);

/** An application whose mandate is not in force is told nothing about the wallet. */
const told = 'An application without a mandate in force is not told.';
const { newBalance } = movementAnswerSchema.properties;
export const refundAnswerSchema = Type.Object(
  {
    ...movementAnswerSchema.properties,
    transaction: Type.Object(
      {
        ...transactionSchema.properties,
        balanceBefore: Type.Optional(credits(`Free and paid credits before it. ${told}`, 140)),
        balanceAfter: Type.Optional(credits(`Free and paid credits after it. ${told}`, 150)),
      },
      { title: 'Transaction', description: 'One thing that happened to a wallet.' },
    ),
    newBalance: Type.Optional({ ...newBalance, description: `The wallet right after it. ${told}` }),
  },
  { title: 'Refund', description: 'The credits are given back.' },
);

export type RefundAnswer = Static<typeof refundAnswerSchema>;
export type MovementAnswer = Static<typeof movementAnswerSchema>;
