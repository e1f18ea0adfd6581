import { Type, type Static } from 'typebox';
import { cursorQuery } from '../../../http/cursor.ts';
import { pageQuery } from '../../../http/paging.ts';
import { reasonSchema } from '../../users/index.ts';
import { credits, keySchema, line, transactionSchema } from '../schemas.ts';

export const adjustmentOfUserSchema = Type.Object(
  {
    amount: Type.Integer({
      minimum: Number.MIN_SAFE_INTEGER,
      maximum: Number.MAX_SAFE_INTEGER,
      not: { const: 0 },
      description: 'How many credits: more than 0 is given, less is taken.',
      examples: [50],
    }),
    description: line(500, {
      description: 'Why; the person and the audit trail read it.',
      examples: ['Thank you for your patience'],
    }),
    idempotencyKey: Type.Optional(keySchema),
  },
  { description: 'By how much the wallet changes.' },
);

export const thawSchema = Type.Object(
  { reason: reasonSchema },
  { description: 'Why the wallet takes part again.' },
);

export const thawedWalletSchema = Type.Object(
  {
    userId: Type.String({
      format: 'uuid',
      description: 'Whose wallet it is.',
      examples: ['019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11'],
    }),
    status: Type.Literal('active', { description: 'It takes part again.', examples: ['active'] }),
  },
  { title: 'ThawedWallet' },
);

export const historyQuerySchema = Type.Object({ ...pageQuery, ...cursorQuery });

export const creditsWithHistorySchema = Type.Object(
  {
    credits: credits('What can be spent right now.', 150),
    history: Type.Array(transactionSchema, { description: 'Newest first.' }),
  },
  { title: 'CreditsWithHistory' },
);

export type CreditsWithHistory = Static<typeof creditsWithHistorySchema>;
export type ThawedWallet = Static<typeof thawedWalletSchema>;
