import { Type, type Static, type TSchema } from 'typebox';
import { linePattern } from '../../../lib/line.ts';
import { billingIntervals, rollovers, taxBehaviors } from '../plan-tables.ts';

/** 2^53 − 1: the largest integer that every JSON reader keeps exact. */
const creditsMax = 9_007_199_254_740_991;
/** Ten million of the main unit of most currencies; beyond, providers refuse. */
const priceCentsMax = 999_999_999;

export const nullable = <T extends TSchema & { type: string }>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] });
export const time = (description: string, example = '2026-03-01T12:00:00.000Z') =>
  Type.String({ format: 'date-time', description, examples: [example] });

export const planIdSchema = Type.String({
  pattern: '^[a-z0-9][a-z0-9-]{0,49}$',
  description: 'The plan; it becomes the `subscriptionTier` of whoever subscribes.',
  examples: ['plus'],
});
export const planParamsSchema = Type.Object({ planId: planIdSchema });

const nameSchema = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: linePattern,
  description: 'What people read, also on their bills.',
  examples: ['Plus'],
});
const descriptionSchema = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: linePattern,
  description: 'A sentence about the plan.',
  examples: ['1000 credits every month.'],
});
const positionSchema = Type.Integer({
  minimum: 0,
  maximum: 10_000,
  description: 'Place in the list.',
  examples: [1],
});

const termFields = {
  priceCents: Type.Integer({
    minimum: 1,
    maximum: priceCentsMax,
    description: 'Price of a period, in the smallest unit of the currency.',
    examples: [999],
  }),
  currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217.', examples: ['EUR'] }),
  taxBehavior: Type.Enum([...taxBehaviors], { description: 'Whether the price includes tax.' }),
  interval: Type.Enum([...billingIntervals], { description: 'How long a period is.' }),
  credits: Type.Integer({
    minimum: 1,
    maximum: creditsMax,
    description: 'Credits of a period, in the units that wallets count.',
    examples: [1000],
  }),
  rollover: Type.Enum([...rollovers], {
    description:
      'What becomes of credits that are unused at the end of a period: `none` expire, `all` are carried into the next one, ' +
      '`capped` are as far as `rolloverCap` goes.',
  }),
  rolloverCap: nullable(
    Type.Integer({
      minimum: 1,
      maximum: creditsMax,
      description: 'How many unused credits are carried into the next period, with `capped`.',
      examples: [500],
    }),
  ),
  graceDays: Type.Integer({
    minimum: 0,
    maximum: 60,
    description: 'How many days the plan counts beyond what was paid for, while a payment fails.',
    examples: [7],
  }),
};

export const newPlanSchema = Type.Object(
  {
    id: planIdSchema,
    name: nameSchema,
    description: Type.Optional(nullable(descriptionSchema)),
    position: Type.Optional(positionSchema),
    priceCents: termFields.priceCents,
    currency: termFields.currency,
    interval: termFields.interval,
    credits: termFields.credits,
    taxBehavior: Type.Optional(termFields.taxBehavior),
    rollover: Type.Optional(termFields.rollover),
    rolloverCap: Type.Optional(termFields.rolloverCap),
    graceDays: Type.Optional(termFields.graceDays),
  },
  { description: 'A plan to make.' },
);
export type NewPlan = Static<typeof newPlanSchema>;

export const planChangesSchema = Type.Object(
  {
    name: Type.Optional(nameSchema),
    description: Type.Optional(nullable(descriptionSchema)),
    position: Type.Optional(positionSchema),
    active: Type.Optional(Type.Boolean({ description: 'Whether anybody can subscribe anew.' })),
    priceCents: Type.Optional(termFields.priceCents),
    currency: Type.Optional(termFields.currency),
    interval: Type.Optional(termFields.interval),
    credits: Type.Optional(termFields.credits),
    taxBehavior: Type.Optional(termFields.taxBehavior),
    rollover: Type.Optional(termFields.rollover),
    rolloverCap: Type.Optional(termFields.rolloverCap),
    graceDays: Type.Optional(termFields.graceDays),
  },
  { minProperties: 1, description: 'What is to be changed; what is left out stays.' },
);
export type PlanChanges = Static<typeof planChangesSchema>;

const scaleSchema = Type.Integer({
  description: 'Decimal places of a credit: amounts count units of 10^-scale credits.',
  examples: [0],
});
const versionSchema = Type.Integer({ description: 'The version of its terms.', examples: [1] });

export const planSchema = Type.Object(
  {
    id: planIdSchema,
    name: nameSchema,
    description: nullable(descriptionSchema),
    position: positionSchema,
    active: Type.Boolean({ description: 'Whether anybody can subscribe anew.' }),
    version: versionSchema,
    ...termFields,
    scale: scaleSchema,
  },
  { title: 'Plan', description: 'What people can subscribe to.' },
);
export type PlanView = Static<typeof planSchema>;

export const planWithVersionsSchema = Type.Object(
  {
    ...planSchema.properties,
    subscribers: Type.Integer({ description: 'Subscriptions that have not ended.', examples: [12] }),
    versions: Type.Array(
      Type.Object({
        version: versionSchema,
        ...termFields,
        createdAt: time('When these terms were made.'),
      }),
      { description: 'All terms that the plan has had, newest first.' },
    ),
  },
  { title: 'PlanWithVersions', description: 'A plan as administrators see it.' },
);
export type PlanWithVersions = Static<typeof planWithVersionsSchema>;
