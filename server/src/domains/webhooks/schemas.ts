import { Type, type Static, type TSchema } from 'typebox';
import { eventTypes, pingEventType, type EventType } from './event-types.ts';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = (description: string) => Type.String({ format: 'date-time', description });
const cursorSchema = Type.String({ format: 'uuid', description: 'Where the next page starts.' });
const typeNames = Object.keys(eventTypes) as EventType[];

/** The steps that the trigger `balances_note_low` watches. */
const lowBalances = Array.from({ length: 8 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power))
  .flat()
  .filter((step) => step >= 5);
const lowBalanceSchema = Type.Enum(lowBalances, {
  description: 'Below how much `credits.low` is sent, in units like every amount; 20 credits unless said.',
  examples: [20],
});

const urlSchema = Type.String({
  minLength: 1,
  maxLength: 2000,
  description: 'Where to POST events: https, on the public internet.',
  examples: ['https://notes.example.com/hooks/obol'],
});

const eventTypesSchema = nullable(
  Type.Array(Type.Enum(typeNames), {
    minItems: 1,
    maxItems: typeNames.length,
    description: 'What to hear of; null is everything but `credits.spent`.',
    examples: [['credits.low', 'mandate.revoked']],
  }),
);

const descriptionSchema = nullable(
  Type.String({ maxLength: 500, description: 'For yourselves.', examples: ['Production'] }),
);

export const newEndpointSchema = Type.Object({
  applicationId: Type.String({ format: 'uuid' }),
  url: urlSchema,
  eventTypes: Type.Optional(eventTypesSchema),
  lowBalance: Type.Optional(lowBalanceSchema),
  description: Type.Optional(descriptionSchema),
});

export type NewEndpoint = Static<typeof newEndpointSchema>;

export const endpointChangesSchema = Type.Object(
  {
    url: Type.Optional(urlSchema),
    eventTypes: Type.Optional(eventTypesSchema),
    lowBalance: Type.Optional(lowBalanceSchema),
    description: Type.Optional(descriptionSchema),
    isEnabled: Type.Optional(
      Type.Boolean({ description: 'False: nothing is sent; what happens meanwhile is not kept for it.' }),
    ),
  },
  { description: 'What is absent stays as it is.' },
);

export type EndpointChanges = Static<typeof endpointChangesSchema>;

const endpointFields = {
  id: Type.String({ format: 'uuid' }),
  applicationId: Type.String({ format: 'uuid' }),
  url: urlSchema,
  eventTypes: eventTypesSchema,
  lowBalance: Type.Integer({ examples: [20] }),
  description: descriptionSchema,
  isEnabled: Type.Boolean({ examples: [true] }),
  disabledReason: nullable(
    Type.Enum(['requested', 'failing', 'gone'], {
      description:
        '`requested` by you, `failing` for three days, or the endpoint said that it is `gone` (410).',
    }),
  ),
  firstFailedAt: nullable(time('The first failure after the last success.')),
  createdAt: time('When it was registered.'),
  updatedAt: time('When it was last changed.'),
};

const endpointObjectSchema = Type.Object(endpointFields, { title: 'WebhookEndpoint' });

/** An endpoint as the API shows it. */
export type EndpointObject = Static<typeof endpointObjectSchema>;

const secretSchema = Type.String({
  description: 'Signs what is sent; shown this once.',
  examples: ['whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
});

export const endpointSchema = Type.Object({ endpoint: endpointObjectSchema });
export const endpointsSchema = Type.Object({ endpoints: Type.Array(endpointObjectSchema) });
export const createdEndpointSchema = Type.Object({
  endpoint: Type.Object({ ...endpointFields, secret: secretSchema }, { title: 'NewWebhookEndpoint' }),
});

export const endpointsQuerySchema = Type.Object({ applicationId: Type.String({ format: 'uuid' }) });

export const rotationSchema = nullable(
  Type.Object({
    overlapSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 30 * 86_400,
        description: 'How long the old secret signs too; a day unless said otherwise, 0 ends it now.',
        examples: [86_400],
      }),
    ),
  }),
);

export type Rotation = NonNullable<Static<typeof rotationSchema>>;

export const rotatedSecretSchema = Type.Object({
  secret: secretSchema,
  previousExpireAt: time('Until then the old secret signs too.'),
});

export type RotatedSecret = Static<typeof rotatedSecretSchema>;

const statusSchema = Type.Enum(['pending', 'succeeded', 'failed'], {
  description: '`pending` while it is tried, `failed` once it is given up.',
});

const deliveryFields = {
  id: Type.String({ format: 'uuid' }),
  endpointId: Type.String({ format: 'uuid' }),
  eventId: Type.String({ format: 'uuid', description: 'The `webhook-id`.' }),
  eventType: Type.Enum([...typeNames, pingEventType]),
  status: statusSchema,
  isReplay: Type.Boolean({ description: 'Whether it was asked for again.', examples: [false] }),
  attemptCount: Type.Integer({ examples: [1] }),
  happenedAt: time('When the event happened.'),
  nextAttemptAt: nullable(time('When it is tried next.')),
  completedAt: nullable(time('When it arrived or was given up.')),
};

const deliveryObjectSchema = Type.Object(deliveryFields, { title: 'WebhookDelivery' });

/** A delivery as the API lists it. */
export type DeliveryObject = Static<typeof deliveryObjectSchema>;

const attemptSchema = Type.Object({
  startedAt: time('When the request began.'),
  durationMs: Type.Integer({ examples: [84] }),
  statusCode: nullable(Type.Integer({ description: 'Null when no answer came.', examples: [204] })),
  error: nullable(Type.String({ description: 'Why it failed.', examples: ['The endpoint answered 500'] })),
  responseExcerpt: nullable(Type.String({ description: 'How the answer begins.', examples: ['ok'] })),
});

const deliveryDetailSchema = Type.Object(
  {
    ...deliveryFields,
    data: Type.Record(Type.String(), Type.Unknown(), {
      description: 'What the event tells.',
      examples: [{ userId: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11' }],
    }),
    attempts: Type.Array(attemptSchema),
  },
  { title: 'WebhookDeliveryDetail' },
);

/** A delivery with its event and attempts. */
export type DeliveryDetail = Static<typeof deliveryDetailSchema>;

export const deliverySchema = Type.Object({ delivery: deliveryObjectSchema });
export const deliveryDetailAnswerSchema = Type.Object({ delivery: deliveryDetailSchema });
export const deliveriesSchema = Type.Object({
  deliveries: Type.Array(deliveryObjectSchema),
  nextCursor: nullable(cursorSchema),
});

export const deliveriesQuerySchema = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  status: Type.Optional(statusSchema),
  eventType: Type.Optional(Type.Enum([...typeNames, pingEventType])),
  cursor: Type.Optional(cursorSchema),
});

export type DeliveriesQuery = Static<typeof deliveriesQuerySchema>;

export const idSchema = Type.Object({ id: Type.String({ format: 'uuid' }) });
export const doneSchema = Type.Object({
  success: Type.Literal(true),
  message: Type.String({ examples: ['The endpoint is deleted.'] }),
});
