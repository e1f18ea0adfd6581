import { Type, type Static, type TSchema } from 'typebox';
import { cursorQuery } from '../../http/cursor.ts';
import { linePattern } from '../../lib/line.ts';
import { eventOutcomes } from './tables.ts';

const id = (description: string, example = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11') =>
  Type.String({ format: 'uuid', description, examples: [example] });
const time = (description: string, example = '2026-03-01T12:00:00.000Z') =>
  Type.String({ format: 'date-time', description, examples: [example] });
const nullable = <T extends TSchema & { type: string }>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] });
const line = (maxLength: number, options: { description: string; examples: string[] }) =>
  Type.String({ minLength: 1, maxLength, pattern: linePattern, ...options });
const cents = (description: string, example: number) => Type.Integer({ description, examples: [example] });

const providerSchema = Type.Enum(['stripe', 'paypal'] as const, {
  description: 'Who takes the payment.',
  examples: ['stripe'],
});

export const purchaseBodySchema = Type.Object(
  {
    packageId: line(100, { description: 'What to buy, from the list of packages.', examples: ['standard'] }),
    provider: Type.Optional(providerSchema),
    currency: Type.Optional(
      Type.String({
        pattern: '^[A-Z]{3}$',
        description: "ISO 4217; the package's own by default.",
        examples: ['EUR'],
      }),
    ),
    saveCard: Type.Optional(
      Type.Boolean({
        description: 'Keep the card for automatic top-ups, as the person agrees to on the page.',
        examples: [false],
      }),
    ),
    idempotencyKey: Type.Optional(
      line(255, {
        description: 'The same key again gets the same purchase and checkout.',
        examples: ['order-2026-0001'],
      }),
    ),
  },
  { description: 'What to buy.' },
);

export const keyHeadersSchema = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'The same as `idempotencyKey` in the body.' }),
  ),
});

export const openedPurchaseSchema = Type.Object(
  {
    purchaseId: id('The purchase.'),
    checkoutUrl: Type.String({
      description: 'Where to pay.',
      examples: ['https://checkout.stripe.com/c/pay/cs_test_a1'],
    }),
  },
  { title: 'OpenedPurchase', description: 'The purchase has begun; lead the person to `checkoutUrl`.' },
);

export const purchaseParamsSchema = Type.Object({ purchaseId: id('The purchase.') });

export const purchaseDetailSchema = Type.Object(
  {
    id: id('The purchase.'),
    kind: Type.Enum(['pack', 'top_up', 'period'] as const, {
      description: 'A pack, an automatic top-up, or a period of a subscription.',
      examples: ['pack'],
    }),
    title: Type.String({ description: 'What was bought.', examples: ['Standard'] }),
    packageId: nullable(Type.String({ description: 'The package.', examples: ['standard'] })),
    credits: Type.Integer({ description: 'Credits bought.', examples: [1000] }),
    creditsReceived: Type.Integer({
      description: 'How many of them are in the wallet, after refunds and disputes.',
      examples: [1000],
    }),
    priceCents: cents('Price in the minor unit.', 1000),
    refundedCents: cents('How much has been refunded, or is on its way back.', 0),
    disputedCents: cents('How much has been called back by a bank.', 0),
    currency: Type.String({ description: 'ISO 4217.', examples: ['EUR'] }),
    provider: Type.String({ description: 'Who takes the payment.', examples: ['stripe'] }),
    isTest: Type.Boolean({ description: 'Whether no real money moves.' }),
    status: Type.String({
      description: '`pending`, `completed`, `failed`, `refunded` or `disputed`.',
      examples: ['completed'],
    }),
    checkoutUrl: nullable(
      Type.String({
        description: 'Where to pay, while it is pending.',
        examples: ['https://checkout.stripe.com/c/pay/cs_test_a1'],
      }),
    ),
    transactionId: nullable(id('The transaction that brought the credits in.')),
    createdAt: time('When the checkout began.'),
    completedAt: nullable(time('When it was paid.')),
    expiresAt: nullable(time('When the checkout ends.', '2026-03-02T11:00:00.000Z')),
  },
  { title: 'PurchaseDetail', description: 'A sale of credits, as it stands now.' },
);

export const deliveryAnswerSchema = Type.Object(
  { received: Type.Literal(true) },
  { description: 'The event is stored.' },
);

export const eventsQuerySchema = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'At most this many.' }),
  ...cursorQuery,
  provider: Type.Optional(providerSchema),
  outcome: Type.Optional(
    Type.Enum([...eventOutcomes], { description: 'Only those of which this came.', examples: ['refused'] }),
  ),
  type: Type.Optional(
    line(200, { description: 'Only those of this type.', examples: ['checkout.session.completed'] }),
  ),
});

const eventMembers = {
  id: id('The event here.'),
  provider: Type.String({ description: 'Whose it is.', examples: ['stripe'] }),
  providerEventId: Type.String({ description: 'Its id at the provider.', examples: ['evt_1'] }),
  type: Type.String({ description: 'What it says.', examples: ['checkout.session.completed'] }),
  isLive: Type.Boolean({ description: 'Whether it is about real money.' }),
  outcome: nullable(
    Type.String({
      description:
        '`applied`, `waiting` (for what it is about), `ignored` (it says nothing about purchases), `refused` or `failed`.',
      examples: ['applied'],
    }),
  ),
  reason: nullable(Type.String({ description: 'Why it was refused.', examples: ['wrong_amount'] })),
  receivedAt: time('When it arrived first.'),
  appliedAt: nullable(time('When it was applied.')),
  happenedAt: nullable(time('When the provider says that it happened.')),
};

export const eventSchema = Type.Object(eventMembers, {
  title: 'PaymentEvent',
  description: 'What a payment provider has told.',
});

export const eventDetailSchema = Type.Object(
  {
    ...eventMembers,
    facts: Type.Array(Type.Record(Type.String(), Type.Unknown()), {
      description: 'What it says about money, in the words of this service.',
    }),
    payload: Type.Unknown({ description: 'As it was delivered.', examples: [{ id: 'evt_1' }] }),
  },
  { title: 'PaymentEventDetail', description: 'What a payment provider has told, in full.' },
);

export const eventParamsSchema = Type.Object({ eventId: id('The event.') });

export const refusedDeliveriesQuerySchema = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'At most this many.' }),
});

export const refusedDeliverySchema = Type.Object(
  {
    id: id('The delivery.'),
    provider: Type.String({ description: 'Whose it said it was.', examples: ['stripe'] }),
    code: Type.String({ description: 'Why it was refused.', examples: ['payments.signature_invalid'] }),
    body: Type.String({ description: 'The beginning of what it said.', examples: ['{"id":"evt_1"'] }),
    ipAddress: nullable(Type.String({ description: 'Where it came from.', examples: ['203.0.113.7'] })),
    receivedAt: time('When it came.'),
  },
  { title: 'RefusedDelivery', description: 'A delivery that proved not to be a provider’s.' },
);

export type PurchaseDetail = Static<typeof purchaseDetailSchema>;
export type EventsQuery = Static<typeof eventsQuerySchema>;
export type EventView = Static<typeof eventSchema>;
export type EventDetail = Static<typeof eventDetailSchema>;
export type RefusedDelivery = Static<typeof refusedDeliverySchema>;
