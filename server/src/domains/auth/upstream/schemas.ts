import { Type, type Static } from 'typebox';

const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-03-01T12:00:00.000Z'] });

const returnTo = Type.Optional(
  Type.String({
    maxLength: 2000,
    description:
      'Where the browser goes in the end: a path of this service, or an address of an allowed front end.',
    examples: ['https://app.example.com/welcome'],
  }),
);

const codeChallenge = Type.Optional(
  Type.String({
    pattern: '^[A-Za-z0-9_-]{43}$',
    description: 'S256 challenge (RFC 7636) whose verifier `/auth/session-to-token` then asks for.',
    examples: ['E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'],
  }),
);

export const providerParamsSchema = Type.Object({
  provider: Type.String({ pattern: '^[a-z][a-z0-9]{0,31}$', examples: ['google'] }),
});

export const loginQuerySchema = Type.Object({ returnTo, codeChallenge });
export const beginQuerySchema = Type.Object({
  returnTo,
  codeChallenge,
  ticket: Type.Optional(
    Type.String({
      maxLength: 100,
      description: 'From a link that connects an account.',
      examples: ['q83v…'],
    }),
  ),
});
export const logoutQuerySchema = Type.Object({ returnTo });
export const linkBodySchema = Type.Object({ returnTo });

const answerFields = {
  state: Type.Optional(Type.String({ maxLength: 200, examples: ['af0ifjsldkj'] })),
  code: Type.Optional(Type.String({ maxLength: 4096, examples: ['SplxlOBeZQQYbYS6WxSbIA'] })),
  iss: Type.Optional(Type.String({ maxLength: 500, examples: ['https://accounts.google.com'] })),
  error: Type.Optional(Type.String({ maxLength: 200, examples: ['access_denied'] })),
  error_description: Type.Optional(Type.String({ maxLength: 2000, examples: ['The person declined.'] })),
};
/** The ticket of a sign-in that waits for its second factor. */
export const continueQuerySchema = Type.Object({ ticket: Type.String({ maxLength: 100 }) });
export const callbackQuerySchema = Type.Object(answerFields);
export const callbackFormSchema = Type.Object({
  ...answerFields,
  user: Type.Optional(
    Type.String({
      maxLength: 2000,
      description: 'Apple only, the first time.',
      examples: ['{"name":{"firstName":"Ada"}}'],
    }),
  ),
});

export const redirectSchema = Type.Null({ description: 'A redirect.' });
export const linkUrlSchema = Type.Object({
  url: Type.String({
    description: 'To be opened within ten minutes in a browser in which the same person is signed in.',
    examples: ['https://id.example.com/api/v1/auth/social/google?ticket=q83v'],
  }),
});

export const providersSchema = Type.Object({
  providers: Type.Array(
    Type.Object({
      name: Type.String({ examples: ['google'] }),
      label: Type.String({ examples: ['Google'] }),
      url: Type.String({ examples: ['https://id.example.com/api/v1/auth/social/google'] }),
    }),
  ),
});

export const accountSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    provider: Type.String({ description: 'Name of the provider, or its issuer.', examples: ['google'] }),
    issuer: Type.String({ examples: ['https://accounts.google.com'] }),
    email: Type.Union([
      Type.String({ description: 'As the provider gave it last.', examples: ['ada@example.com'] }),
      Type.Null(),
    ]),
    createdAt: time('When it was connected.'),
    lastUsedAt: time('When it signed the person in last.'),
  },
  { title: 'Account' },
);
export type AccountView = Static<typeof accountSchema>;
export const accountsSchema = Type.Object({ accounts: Type.Array(accountSchema) });
export const accountIdSchema = Type.Object({ id: Type.String({ format: 'uuid' }) });
