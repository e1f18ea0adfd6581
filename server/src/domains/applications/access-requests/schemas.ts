import { Type, type Static, type TSchema } from 'typebox';
import { roleSchema } from '../schemas.ts';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = (description: string) => Type.String({ format: 'date-time', description });
const exampleId = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d21';
/** Texts that people read: no control characters but line breaks and tabs. */
export const textPattern = '^[^\\p{Cc}]*$|^(?:[^\\p{Cc}]|[\\n\\r\\t])*$';

const messageSchema = Type.String({
  maxLength: 1000,
  pattern: textPattern,
  description: 'What the administrators should know.',
  examples: ['I write the newsletter.'],
});

export const denialReasonSchema = Type.String({
  maxLength: 500,
  pattern: textPattern,
  description: 'Why; the person reads it.',
  examples: ['The newsletter has another home now.'],
});

const idSchema = Type.String({ format: 'uuid', examples: [exampleId] });

export const newRequestSchema = Type.Object(
  {
    applicationId: Type.Optional(Type.String({ format: 'uuid', description: 'The application.' })),
    clientId: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Its client id, instead.',
        examples: ['app_5f6c1c0e9d3b4a7c8e2f1a0b9c8d7e6f'],
      }),
    ),
    message: Type.Optional(nullable(messageSchema)),
  },
  { description: 'Name the application by one of the two.' },
);

export type NewRequest = Static<typeof newRequestSchema>;

const statusSchema = Type.Enum(['pending', 'approved', 'denied', 'withdrawn'], {
  description: 'What became of it so far.',
  examples: ['pending'],
});

const requestFields = {
  id: idSchema,
  applicationId: idSchema,
  clientId: Type.String({ examples: ['app_5f6c1c0e9d3b4a7c8e2f1a0b9c8d7e6f'] }),
  applicationName: Type.String({ examples: ['Notes'] }),
  userId: idSchema,
  message: nullable(messageSchema),
  status: statusSchema,
  role: nullable(Type.String({ description: 'The role that was granted.', examples: ['editor'] })),
  reason: nullable(denialReasonSchema),
  createdAt: time('When it was made.'),
  decidedAt: nullable(time('When it was approved, denied or withdrawn.')),
};

const requestObjectSchema = Type.Object(requestFields, { title: 'AccessRequest' });

/** A request for access as whoever made it sees it. */
export type RequestObject = Static<typeof requestObjectSchema>;

const askingSchema = Type.Object({
  email: Type.String({ examples: ['test@example.com'] }),
  emailVerified: Type.Boolean({
    description: 'False: whoever asks has not shown that the address is theirs.',
    examples: [true],
  }),
  name: nullable(Type.String({ examples: ['Test User'] })),
  username: nullable(Type.String({ examples: ['alice'] })),
});

const receivedRequestSchema = Type.Object(
  { ...requestFields, user: askingSchema },
  { title: 'ReceivedAccessRequest' },
);

/** A request for access as those see it who decide. */
export type ReceivedRequest = Static<typeof receivedRequestSchema>;

export const requestSchema = Type.Object({ accessRequest: requestObjectSchema });
export const requestsSchema = Type.Object({ accessRequests: Type.Array(requestObjectSchema) });
export const receivedSchema = Type.Object({ accessRequest: receivedRequestSchema });
export const receivedListSchema = Type.Object({ accessRequests: Type.Array(receivedRequestSchema) });

export const approvalSchema = nullable(
  Type.Object({ role: Type.Optional(roleSchema) }, { description: 'Without a role: the default one.' }),
);
export const denialSchema = nullable(Type.Object({ reason: Type.Optional(nullable(denialReasonSchema)) }));
export const requestIdSchema = Type.Object({ id: idSchema });
