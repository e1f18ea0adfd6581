import { Type, type Static, type TSchema } from 'typebox';
import { linePattern } from '../../../lib/line.ts';

const nullable = <T extends TSchema & { type: string }>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] });
const centsMax = 100_000_000;

export const topUpBodySchema = Type.Object(
  {
    packageId: Type.String({
      minLength: 1,
      maxLength: 100,
      pattern: linePattern,
      description: 'What to buy whenever credits run low.',
      examples: ['standard'],
    }),
    currency: Type.Optional(
      Type.String({
        pattern: '^[A-Z]{3}$',
        description: "ISO 4217; the package's own by default.",
        examples: ['EUR'],
      }),
    ),
    threshold: Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'It is bought whenever less than this is available; at most what one package brings.',
      examples: [100],
    }),
    monthlyCapCents: Type.Integer({
      minimum: 1,
      maximum: centsMax,
      description: 'Most that is charged in a calendar month (UTC), in the minor unit.',
      examples: [5000],
    }),
  },
  { description: 'What the person agrees to, at the present price of the package.' },
);

export const topUpSchema = Type.Object(
  {
    status: Type.Enum(['off', 'active', 'paused'] as const, {
      description: '`paused`: nothing is charged until the person agrees anew; `reason` says why.',
      examples: ['active'],
    }),
    reason: nullable(
      Type.String({
        description:
          '`payment_failed`, `payment_reversed` (also while credits are owed), `price_changed` (also when the package brings ' +
          'fewer credits for it), `package_unavailable` or `limit_reached`.',
        examples: ['payment_failed'],
      }),
    ),
    packageId: nullable(Type.String({ description: 'The package.', examples: ['standard'] })),
    threshold: nullable(Type.Integer({ description: 'Below this, it is bought.', examples: [100] })),
    monthlyCapCents: nullable(Type.Integer({ description: 'Most in a month.', examples: [5000] })),
    priceCents: nullable(Type.Integer({ description: 'The price agreed to.', examples: [1000] })),
    currency: nullable(Type.String({ description: 'ISO 4217.', examples: ['EUR'] })),
    chargedThisMonthCents: Type.Integer({
      description: 'What top-ups have come to in this month, what is under way included.',
      examples: [1000],
    }),
  },
  { title: 'TopUp', description: 'How automatic top-ups stand.' },
);

export const portalBodySchema = Type.Object(
  {
    provider: Type.Optional(
      Type.Enum(['stripe', 'paypal'] as const, { description: 'Whose page.', examples: ['stripe'] }),
    ),
  },
  { description: 'Which page.' },
);

export const portalSchema = Type.Object(
  {
    url: Type.String({
      description: 'Where to lead the person; it is valid for a short time, for them alone.',
      examples: ['https://billing.stripe.com/p/session/test_a1'],
    }),
  },
  { title: 'PaymentPortal', description: "The provider's page for cards and bills." },
);

export type TopUpBody = Static<typeof topUpBodySchema>;
export type TopUpView = Static<typeof topUpSchema>;
