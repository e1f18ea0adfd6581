import { Type, type Static, type TSchema } from 'typebox';
import { pageQuery } from '../../../http/paging.ts';

const nullable = <T extends TSchema & { type: string }>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] });
const exampleId = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11';
const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-03-01T12:00:00.000Z'] });

export const invoicesQuerySchema = Type.Object({ ...pageQuery });

export const invoiceSchema = Type.Object(
  {
    id: Type.String({ description: 'Its id at the provider.', examples: ['in_1'] }),
    provider: Type.String({ description: 'Who bills.', examples: ['stripe'] }),
    status: Type.String({ description: '`open`, `failed`, `void` or `paid`.', examples: ['paid'] }),
    purpose: Type.String({
      description: '`period` for a whole period, `change` for what a dearer plan costs for the rest of one.',
      examples: ['period'],
    }),
    amountCents: Type.Integer({ description: 'How much, in the minor unit.', examples: [900] }),
    currency: Type.String({ description: 'ISO 4217.', examples: ['EUR'] }),
    periodStart: time('From when it pays.'),
    periodEnd: time('Until when.'),
    invoiceUrl: nullable(
      Type.String({
        description: "The provider's page of it, where it has one.",
        examples: ['https://invoice.stripe.com/i/acct_1/test_1'],
      }),
    ),
    isTest: Type.Boolean({ description: 'Whether no real money is meant.' }),
    subscriptionId: Type.String({ format: 'uuid', description: 'The subscription.', examples: [exampleId] }),
    purchaseId: nullable(
      Type.String({ format: 'uuid', description: 'What it has brought.', examples: [exampleId] }),
    ),
    receivedAt: time('When it was first heard of.'),
  },
  { title: 'Invoice', description: 'A bill of a subscription.' },
);

export type InvoiceView = Static<typeof invoiceSchema>;
