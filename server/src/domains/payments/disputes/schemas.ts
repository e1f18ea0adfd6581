import { Type, type Static, type TSchema } from 'typebox';
import { pageQuery } from '../../../http/paging.ts';

const nullable = <T extends TSchema & { type: string }>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] });
const exampleId = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11';

const statusSchema = Type.Enum(['open', 'lost', 'won'] as const, {
  description: '`open` and `lost` have taken the credits back; `won` has given them back.',
  examples: ['open'],
});

export const disputesQuerySchema = Type.Object({ ...pageQuery, status: Type.Optional(statusSchema) });

export const disputeSchema = Type.Object(
  {
    disputeId: Type.String({ description: 'Its id at the provider.', examples: ['du_1'] }),
    provider: Type.String({ description: 'Who tells of it.', examples: ['stripe'] }),
    paymentId: Type.String({ description: 'The payment at the provider.', examples: ['pi_1'] }),
    status: statusSchema,
    amountCents: Type.Integer({ description: 'How much is disputed, in the minor unit.', examples: [1000] }),
    currency: Type.String({ description: 'ISO 4217.', examples: ['EUR'] }),
    isTest: Type.Boolean({ description: 'Whether no real money is meant.' }),
    updatedAt: Type.String({
      format: 'date-time',
      description: 'When it was heard of last.',
      examples: ['2026-03-01T12:00:00.000Z'],
    }),
    purchaseId: nullable(
      Type.String({ format: 'uuid', description: 'What was bought.', examples: [exampleId] }),
    ),
    title: nullable(Type.String({ description: 'The same in words.', examples: ['Standard'] })),
    userId: nullable(Type.String({ format: 'uuid', description: 'Who bought it.', examples: [exampleId] })),
    email: nullable(Type.String({ description: 'Their address.', examples: ['ada@example.com'] })),
    credits: nullable(Type.Integer({ description: 'Credits that it brought.', examples: [1000] })),
    creditsLeft: nullable(
      Type.Integer({ description: 'How many of them the ledger still grants.', examples: [0] }),
    ),
    walletDebt: nullable(Type.Integer({ description: 'What the wallet owes.', examples: [250] })),
  },
  { title: 'Dispute', description: 'A payment that the customer has their bank call back.' },
);

export type DisputeView = Static<typeof disputeSchema>;
