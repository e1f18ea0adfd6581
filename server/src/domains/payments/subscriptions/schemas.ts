import { Type, type Static } from 'typebox';
import { reasonSchema } from '../../users/index.ts';
import { nullable, planIdSchema, planSchema, time } from '../plans/schemas.ts';

const providerSchema = Type.Enum(['stripe', 'paypal'], { description: 'Who takes the payments.' });

export const newSubscriptionSchema = Type.Object(
  { planId: planIdSchema, provider: Type.Optional(providerSchema) },
  { description: 'What to subscribe to, and by whom to pay.' },
);

export const openedSubscriptionSchema = Type.Object({
  subscriptionId: Type.String({ format: 'uuid', examples: ['019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11'] }),
  checkoutUrl: Type.String({
    description: 'Where to pay; the subscription begins when that is done.',
    examples: ['https://checkout.stripe.com/c/pay/cs_test_a1'],
  }),
  expiresAt: time('Until when it can be paid there.'),
});
export type OpenedSubscription = Static<typeof openedSubscriptionSchema>;

export const planChangeSchema = Type.Object(
  { planId: planIdSchema },
  { description: 'The plan to change to, by the terms that it has now.' },
);

export const subscriptionOfUserSchema = Type.Object({
  userId: Type.String({ format: 'uuid' }),
  subscriptionId: Type.String({ format: 'uuid' }),
});

export const subscriptionEndSchema = Type.Object(
  {
    when: Type.Enum(['period_end', 'now'], {
      default: 'period_end',
      description:
        '`period_end`: with the period that has been paid for, until which the person can take it back, except at PayPal. ' +
        '`now`: for good.',
    }),
    reason: reasonSchema,
  },
  { description: 'When it ends, and why.' },
);
export type SubscriptionEnd = Static<typeof subscriptionEndSchema>;

const ownPlanSchema = Type.Object(planSchema.properties, {
  description: 'The plan with the terms that this subscription has.',
});

export const subscriptionSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid', examples: ['019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11'] }),
    status: Type.Enum(['opening', 'incomplete', 'active', 'past_due', 'ended'], {
      description:
        '`opening`: waits in its checkout. `incomplete`: the first payment is under way. `past_due`: a payment failed and ' +
        'is tried again.',
    }),
    plan: ownPlanSchema,
    nextPlan: Type.Union([ownPlanSchema, Type.Null()], {
      description: 'What it changes to with the next period, if that is another plan or other terms.',
    }),
    provider: providerSchema,
    periodStart: nullable(time('When the present period began.')),
    periodEnd: nullable(time('When it ends, and the next one is billed.', '2026-04-01T12:00:00.000Z')),
    paidUntil: nullable(time('The end of the last period that was paid for.', '2026-04-01T12:00:00.000Z')),
    cancelsAtPeriodEnd: Type.Boolean({ description: 'Whether it ends with the present period.' }),
    endedAt: nullable(time('When it ended.')),
    checkoutUrl: nullable(
      Type.String({
        description: 'Where to pay, while it is `opening`.',
        examples: ['https://checkout.stripe.com/c/pay/cs_test_a1'],
      }),
    ),
    createdAt: time('When it was asked for.'),
  },
  { title: 'Subscription', description: 'The subscription of a person.' },
);
export type SubscriptionView = Static<typeof subscriptionSchema>;

export const changedSubscriptionSchema = Type.Object(
  {
    ...subscriptionSchema.properties,
    approvalUrl: nullable(
      Type.String({
        description:
          'Where the change is to be agreed to first; null when it is done. An address of the provider.',
        examples: ['https://www.paypal.com/webapps/billing/subscriptions/update'],
      }),
    ),
  },
  { title: 'ChangedSubscription', description: 'A subscription after a change.' },
);
export type ChangedSubscription = Static<typeof changedSubscriptionSchema>;
