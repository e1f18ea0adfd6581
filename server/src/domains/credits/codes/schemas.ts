import { Type, type Static } from 'typebox';
import { kindSchema, prioritySchema } from '../grants/schemas.ts';
import { amountSchema, credits, id, keySchema, line, nullable, time } from '../schemas.ts';

const countMax = 2_147_483_647;
const lifetimeDaysMax = 36_500;

const shown = { description: 'What the code is; spaces and hyphens do not count, nor does case.' };
const chosenCodeSchema = Type.String({
  minLength: 4,
  maxLength: 50,
  pattern: '^[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*$',
  description: 'A text of your own, for a code that is passed around; by default one that nobody can guess.',
  examples: ['WELCOME-2026'],
});
const descriptionSchema = line(500, {
  description: 'What the credits are for; the person reads it.',
  examples: ['Welcome gift'],
});

export const createCodeBodySchema = Type.Object(
  {
    amount: amountSchema,
    kind: kindSchema,
    priority: prioritySchema,
    description: descriptionSchema,
    code: Type.Optional(chosenCodeSchema),
    redemptionsMax: Type.Integer({
      minimum: 1,
      maximum: countMax,
      default: 1,
      description: 'How often it can be redeemed in all.',
    }),
    redemptionsPerUserMax: Type.Integer({
      minimum: 1,
      maximum: countMax,
      default: 1,
      description: 'How often one person can redeem it.',
    }),
    lotLifetimeDays: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: lifetimeDaysMax,
        description:
          'How many days of 24 hours the credits live once they are redeemed; for ever by default.',
        examples: [90],
      }),
    ),
    expiresAt: Type.Optional(time('Until when it can be redeemed, exclusive.', '2026-12-31T23:59:59.000Z')),
  },
  { description: 'A code to make.' },
);

const codeMembers = {
  id: id('The code, for the administration.'),
  code: nullable(Type.String({ ...shown, examples: ['WELCOME-2026'] })),
  description: Type.String({ examples: ['Welcome gift'] }),
  amount: credits('Credits it brings.', 50),
  kind: Type.String({ description: '`free` or `paid`.', examples: ['free'] }),
  priority: Type.Integer({ examples: [100] }),
  redemptionsMax: Type.Integer({ description: 'How often it can be redeemed in all.', examples: [1] }),
  redemptionsPerUserMax: Type.Integer({
    description: 'How often one person can redeem it.',
    examples: [1],
  }),
  redeemed: Type.Integer({ description: 'How often it has been redeemed.', examples: [0] }),
  lotLifetimeDays: nullable(Type.Integer({ description: 'How many days the credits live.', examples: [90] })),
  expiresAt: nullable(time('Until when it can be redeemed, exclusive.', '2026-12-31T23:59:59.000Z')),
  revokedAt: nullable(time('When it was withdrawn.')),
  createdAt: time('When it was made.'),
};

export const codeSchema = Type.Object(codeMembers, {
  title: 'Code',
  description: 'A gift or promo code. `code` is null for one that was made as a secret.',
});

export const newCodeSchema = Type.Object(
  { ...codeMembers, code: Type.String({ ...shown, examples: ['7QH2M-9XKRD-0VBTC-4NWZE'] }) },
  { title: 'NewCode', description: 'A new code, with its text: a secret one is shown this once.' },
);

export const codeParamsSchema = Type.Object({ codeId: id('The code.') });

export const redeemBodySchema = Type.Object(
  {
    code: Type.String({ minLength: 1, maxLength: 100, ...shown, examples: ['7QH2M-9XKRD-0VBTC-4NWZE'] }),
    idempotencyKey: Type.Optional(keySchema),
  },
  { description: 'A code to redeem.' },
);

export type CodeView = Static<typeof codeSchema>;
