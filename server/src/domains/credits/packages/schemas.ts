import { Type, type Static } from 'typebox';
import { taxBehaviors } from '../sales-tables.ts';
import { id, line, nullable, time } from '../schemas.ts';

/** What Stripe takes for a payment at most. */
export const priceCentsMax = 99_999_999;
const creditsMax = 1_000_000_000;
const countMax = 2_147_483_647;

const currencySchema = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217.', examples: ['EUR'] });
const priceSchema = Type.Integer({
  minimum: 1,
  maximum: priceCentsMax,
  description: 'Price in the minor unit.',
  examples: [1000],
});
const taxSchema = Type.Enum([...taxBehaviors], {
  description: 'Whether prices include tax, tax comes on top, or the provider decides.',
  examples: ['inclusive'],
});
const pricesSchema = Type.Array(Type.Object({ currency: currencySchema, priceCents: priceSchema }), {
  maxItems: 50,
  description: 'What it costs in further currencies.',
});

const terms = {
  name: line(100, { description: 'What it is called; bills say so.', examples: ['Standard'] }),
  description: Type.Optional(
    nullable(line(500, { description: 'What it is good for.', examples: ['For a month of chats'] })),
  ),
  credits: Type.Integer({
    minimum: 1,
    maximum: creditsMax,
    description: 'What it brings, in whole credits, whatever CREDITS_SCALE is.',
    examples: [1000],
  }),
  currency: Type.Optional({ ...currencySchema, default: 'EUR' }),
  priceCents: Type.Optional(
    nullable({
      ...priceSchema,
      description: 'Price in the minor unit; without one, what CREDITS_PER_EUR says.',
    }),
  ),
  prices: Type.Optional(pricesSchema),
  taxBehavior: Type.Optional({ ...taxSchema, default: 'inclusive' }),
  perUserMax: Type.Optional(
    nullable(
      Type.Integer({
        minimum: 1,
        maximum: countMax,
        description: 'How often one person may buy it; without end by default.',
        examples: [1],
      }),
    ),
  ),
  perUserDays: Type.Optional(
    nullable(
      Type.Integer({
        minimum: 1,
        maximum: 36_500,
        description: 'Within how many days `perUserMax` counts; ever by default.',
        examples: [30],
      }),
    ),
  ),
  position: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    default: 0,
    description: 'Its place in the list.',
    examples: [2],
  }),
  active: Type.Boolean({ default: true, description: 'Whether it can be bought.' }),
};

export const packageBodySchema = Type.Object(terms, { description: 'A package from now on.' });
export const newPackageBodySchema = Type.Object(
  {
    id: Type.String({
      pattern: '^[a-z0-9]+(?:[-_][a-z0-9]+)*$',
      minLength: 1,
      maxLength: 100,
      description: 'By which it is bought; it never changes.',
      examples: ['standard'],
    }),
    ...terms,
  },
  { description: 'A package to sell.' },
);

export const packageParamsSchema = Type.Object({
  packageId: line(100, { description: 'The package.', examples: ['standard'] }),
});

export const managedPackageSchema = Type.Object(
  {
    id: Type.String({ examples: ['standard'] }),
    name: Type.String({ examples: ['Standard'] }),
    description: nullable(Type.String({ examples: ['For a month of chats'] })),
    credits: Type.Integer({ description: 'What it brings, in whole credits.', examples: [1000] }),
    currency: Type.String({ description: 'ISO 4217.', examples: ['EUR'] }),
    priceCents: nullable(
      Type.Integer({ description: 'Its own price; null for what CREDITS_PER_EUR says.', examples: [1000] }),
    ),
    prices: pricesSchema,
    taxBehavior: Type.String({ examples: ['inclusive'] }),
    perUserMax: nullable(Type.Integer({ description: 'How often one person may buy it.', examples: [1] })),
    perUserDays: nullable(Type.Integer({ description: 'Within how many days.', examples: [30] })),
    position: Type.Integer({ description: 'Its place in the list.', examples: [2] }),
    active: Type.Boolean({ description: 'Whether it can be bought.' }),
    version: Type.Integer({ description: 'Counts its changes; purchases keep theirs.', examples: [1] }),
    updatedAt: nullable(time('When it was changed last.')),
  },
  { title: 'ManagedPackage', description: 'Credits for sale, as the administration sees them.' },
);

export const packageVersionSchema = Type.Object(
  {
    version: Type.Integer({ examples: [1] }),
    terms: Type.Record(Type.String(), Type.Unknown(), { description: 'The package as it was from then on.' }),
    changedBy: nullable(id('Who changed it.')),
    createdAt: time('From when on.'),
  },
  { title: 'PackageVersion', description: 'A package as it once was.' },
);

export type PackageTerms = Static<typeof packageBodySchema>;
export type ManagedPackage = Static<typeof managedPackageSchema>;
export type PackageVersion = Static<typeof packageVersionSchema>;
