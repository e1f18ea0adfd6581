import { Type, type Static } from 'typebox';
import { challengeTokenSchema, codeSchema as factorCodeSchema, credentialsSchema } from '../../auth/index.ts';

const clientIdSchema = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'The application.',
  examples: ['app_5f6c1c0e9d3b4a7c8e2f1a0b9c8d7e6f'],
});

const accessTokenSchema = Type.String({
  minLength: 1,
  maxLength: 8192,
  examples: ['eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTljYTlmMiJ9.c2ln'],
});

const requestFields = {
  clientId: clientIdSchema,
  redirectUrl: Type.String({
    minLength: 1,
    maxLength: 2000,
    description: 'One of its redirect addresses, letter for letter.',
    examples: ['https://notes.example.com/callback'],
  }),
  code_challenge: Type.String({
    pattern: '^[A-Za-z0-9_\\-]{43}$',
    description: 'SHA-256 of the verifier, base64url (RFC 7636).',
    examples: ['E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'],
  }),
  code_challenge_method: Type.String({
    pattern: '^[sS]256$',
    description: '`s256`, in either case; there is no other.',
    examples: ['s256'],
  }),
};

export const requestSchema = Type.Object(requestFields);

/** What an application asks for: where to return to, and what only it can redeem. */
export type CodeRequest = Static<typeof requestSchema>;

export const passwordRequestSchema = Type.Object({
  email: credentialsSchema.properties.email,
  password: credentialsSchema.properties.password,
  ...requestFields,
});

export const secondFactorRequestSchema = Type.Object({
  challengeToken: challengeTokenSchema,
  code: factorCodeSchema,
  ...requestFields,
});

export const tokenRequestSchema = Type.Object({
  token: {
    ...accessTokenSchema,
    description: 'An access token that the person got by signing in to this service itself.',
  },
  ...requestFields,
});

export const redemptionSchema = Type.Object({
  code: Type.String({
    minLength: 1,
    maxLength: 200,
    examples: ['mH4sK0Pz6bq1Yv3dT8nR5wXc7uJ2fLgA9eQiOoEyB1k'],
  }),
  code_verifier: Type.String({
    pattern: '^[A-Za-z0-9._~\\-]{43,128}$',
    description: 'What the challenge was made from.',
    examples: ['dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'],
  }),
  clientId: clientIdSchema,
});

export type Redemption = Static<typeof redemptionSchema>;

export const validatedSchema = Type.Object({
  application: Type.Object({
    name: Type.String({ examples: ['Notes'] }),
    clientId: clientIdSchema,
  }),
});

export const codeSchema = Type.Object({
  code: Type.String({
    description: 'Redeemed once, within ten minutes.',
    examples: ['mH4sK0Pz6bq1Yv3dT8nR5wXc7uJ2fLgA9eQiOoEyB1k'],
  }),
});

export const redeemedSchema = Type.Object(
  {
    access_token: accessTokenSchema,
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds until it expires.', examples: [900] }),
    scope: Type.String({ examples: ['openid profile email'] }),
    user: Type.Object({
      id: Type.String({ format: 'uuid' }),
      username: Type.Union([Type.String({ examples: ['alice'] }), Type.Null()]),
      email: Type.String({ examples: ['alice@example.com'] }),
    }),
    role: Type.String({ description: 'Their role in the application.', examples: ['editor'] }),
  },
  { title: 'SignedInToApplication' },
);

/** What an application gets for a code. */
export type Redeemed = Static<typeof redeemedSchema>;
