import { Type, type Static, type TSchema } from 'typebox';
import { pageQuery } from '../../../http/paging.ts';
import { linePattern } from '../../../lib/line.ts';

const exampleId = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11';
const id = (description: string) => Type.String({ format: 'uuid', description, examples: [exampleId] });
const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-03-01T12:00:00.000Z'] });
const nullable = <T extends TSchema & { type: string }>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] });
const reason = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 500,
    pattern: linePattern,
    description,
    examples: ['Bought by mistake'],
  });

export const refundStates = ['requested', 'approved', 'denied', 'pending', 'succeeded', 'failed'] as const;

const amountCents = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: 2_147_483_647,
    description: 'How much, in the minor unit; as much as can be by default.',
    examples: [500],
  }),
);
const idempotencyKey = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 255,
    pattern: linePattern,
    description: 'The same key again gets the same refund.',
    examples: ['refund-2026-0001'],
  }),
);

export const refundBodySchema = Type.Object(
  { purchaseId: id('What to give back.'), amountCents, reason: reason('Why.'), idempotencyKey },
  { description: 'What is to be refunded.' },
);

export const purchaseRefundBodySchema = Type.Object(
  { amountCents, reason: reason('Why; kept in the audit trail.'), idempotencyKey },
  { description: 'How much is to be refunded.' },
);

export const approvalBodySchema = Type.Object(
  { reason: Type.Optional(reason('Why.')) },
  { description: 'What the buyer reads about it.' },
);

export const denialBodySchema = Type.Object(
  { reason: reason('Why; the buyer reads it.') },
  { description: 'What the buyer reads about it.' },
);

export const purchaseParamsSchema = Type.Object({ purchaseId: id('The purchase.') });
export const refundParamsSchema = Type.Object({ refundId: id('The refund.') });

const stateSchema = Type.Enum([...refundStates], {
  description:
    '`requested` (waits for an administrator), `approved` (on its way to the provider), `pending` (on its way to the ' +
    'buyer), `succeeded`, `failed` (the credits are back), `denied` (the credits are back).',
  examples: ['requested'],
});

export const ownRefundsQuerySchema = Type.Object({ ...pageQuery });
export const refundsQuerySchema = Type.Object({ ...pageQuery, state: Type.Optional(stateSchema) });

const viewMembers = {
  id: Type.String({
    description: 'The refund: an id of ours, or of the provider for one made on its own pages.',
    examples: [exampleId],
  }),
  purchaseId: id('The purchase.'),
  title: Type.String({ description: 'What was bought.', examples: ['Standard'] }),
  provider: Type.String({ description: 'Who took the payment.', examples: ['stripe'] }),
  amountCents: Type.Integer({ description: 'How much, in the minor unit.', examples: [500] }),
  currency: Type.String({ description: 'ISO 4217.', examples: ['EUR'] }),
  state: stateSchema,
  reason: nullable(Type.String({ description: 'Why it was asked for.', examples: ['Bought by mistake'] })),
  decision: nullable(
    Type.String({ description: 'Why it was decided so.', examples: ['Within fourteen days'] }),
  ),
  createdAt: time('When it was asked for, or first heard of.'),
  decidedAt: nullable(time('When it was decided.')),
};

export const refundSchema = Type.Object(viewMembers, {
  title: 'Refund',
  description: 'Money of a purchase on its way back. Its credits left the wallet when it was asked for.',
});

export const refundDetailSchema = Type.Object(
  {
    ...viewMembers,
    userId: nullable(id('Whose purchase it is.')),
    email: nullable(Type.String({ description: 'Their address.', examples: ['ada@example.com'] })),
    requestedBy: nullable(id('Who asked for it.')),
    decidedBy: nullable(id('Who decided; nobody when it was approved by itself.')),
    problem: nullable(
      Type.String({ description: 'Why the provider did not do it.', examples: ['provider_refused'] }),
    ),
  },
  { title: 'RefundDetail', description: 'A refund as administrators see it.' },
);

export type RefundView = Static<typeof refundSchema>;
export type RefundDetail = Static<typeof refundDetailSchema>;
export type RefundState = (typeof refundStates)[number];
