import { Type, type Static, type TSchema } from 'typebox';
import { pageQuery } from '../../../http/paging.ts';

const nullable = <T extends TSchema & { type: string }>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] });
const exampleId = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11';
const count = (description: string, example: number) => Type.Integer({ description, examples: [example] });
const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-03-01T02:37:00.000Z'] });

export const reconciliationsQuerySchema = Type.Object({ ...pageQuery });

const findingSchema = Type.Object({
  list: Type.Enum(['onlyTheirs', 'onlyOurs', 'differing'] as const, {
    description: 'Where it is.',
    examples: ['onlyTheirs'],
  }),
  kind: Type.String({
    description: '`checkout`, `invoice`, `subscription`, `refund`, `dispute` or `purchase`.',
    examples: ['checkout'],
  }),
  id: Type.String({ description: 'Its id at the provider, or of our purchase.', examples: ['cs_test_a1'] }),
  purchaseId: nullable(
    Type.String({ format: 'uuid', description: 'The purchase, where there is one.', examples: [exampleId] }),
  ),
  reason: Type.String({
    description: 'What is wrong; see the guide to payments.',
    examples: ['no_purchase'],
  }),
  isSafe: Type.Boolean({ description: 'Whether applying what the provider says puts it right.' }),
  isRepaired: Type.Boolean({ description: 'Whether that was done.' }),
  ours: Type.Unknown({ description: 'What is known here.', examples: [{ status: 'pending' }] }),
  theirs: Type.Unknown({
    description: 'What the provider says, in the words of this service.',
    examples: [{ status: 'paid' }],
  }),
});

export const reconciliationSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid', description: 'The comparison.', examples: [exampleId] }),
    provider: Type.String({ description: 'Who was compared with the ledger.', examples: ['stripe'] }),
    isTest: Type.Boolean({ description: 'Whether no real money is meant.' }),
    since: time('From when on.'),
    startedAt: time('When it began.'),
    source: Type.String({ description: '`provider`, or `export` for a file.', examples: ['provider'] }),
    hasRepaired: Type.Boolean({ description: 'Whether it put right what was safe.' }),
    matched: count('What agrees.', 120),
    onlyTheirs: count('What only the provider knows.', 1),
    onlyOurs: count('What only the ledger knows.', 0),
    differing: count('What both know differently.', 0),
    repaired: count('How much of that was put right.', 1),
    unrelated: count('What the provider lists and is not of this service.', 3),
    open: count('What is left to somebody.', 0),
    findings: Type.Array(findingSchema, { description: 'The first thousand.' }),
  },
  { title: 'Reconciliation', description: 'A provider compared with the ledger.' },
);

export type ReconciliationView = Static<typeof reconciliationSchema>;
