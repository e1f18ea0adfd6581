import { Type, type Static, type TSchema } from 'typebox';
import { pageQuery } from '../../http/paging.ts';
import { linePattern } from '../../lib/line.ts';
import { emailSchema, nameSchema, usernameSchema, userSchema } from '../users/index.ts';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-03-01T12:00:00.000Z'] });

/** Texts that a device says about itself are shown to its owner, so they hold no control characters. */
const deviceText = (description: string, example: string) =>
  Type.String({ maxLength: 200, pattern: linePattern, description, examples: [example] });

const accessTokenSchema = (description: string) =>
  Type.String({ maxLength: 8192, description, examples: ['eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9…'] });

const opaqueTokenSchema = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 512,
    description,
    examples: ['Qm1hM3Zq0d5m1cO2h7mQ9s4uV6wX8yZ0aB2cD4eF6gH'],
  });

/** What is tried at sign-in: old passwords may break today's rules. */
export const currentPasswordSchema = Type.String({
  minLength: 1,
  maxLength: 1024,
  examples: ['Test1234!'],
});

/** Its length and whether it is a common one are judged by `assertAcceptablePassword`, which says why. */
export const newPasswordSchema = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: 'At least 8 characters of any kind; no common password.',
  examples: ['Test1234!'],
});

export const registrationSchema = Type.Object({
  email: emailSchema,
  password: newPasswordSchema,
  name: Type.Optional(nameSchema),
  username: Type.Optional(usernameSchema),
  proof: Type.Optional(
    Type.String({
      maxLength: 200,
      description:
        'Where `/auth/challenge` asks for it: the challenge, a dot, and the number that solves it.',
      examples: ['1772368200.18.Yx0Qm1hM3Zq0d5m1cO2h7g.q3Jm0sT1bX8yV5nZkP2cRrWfUuE7aHdGiLoK9vB4xYM.48213'],
    }),
  ),
});

export const challengeSchema = Type.Object({
  required: Type.Boolean({ description: 'Whether a registration needs a solved challenge here.' }),
  algorithm: Type.Literal('sha256'),
  challenge: nullable(
    Type.String({
      description:
        'To solve: find a number so that the SHA-256 of `<challenge>.<number>` begins with zero bits.',
      examples: ['1772368200.18.Yx0Qm1hM3Zq0d5m1cO2h7g.q3Jm0sT1bX8yV5nZkP2cRrWfUuE7aHdGiLoK9vB4xYM'],
    }),
  ),
  difficultyBits: nullable(Type.Integer({ description: 'How many zero bits.', examples: [18] })),
  expiresAt: nullable(time('Until when the solution is taken, once.')),
});

export type Registration = Static<typeof registrationSchema>;

export const credentialsSchema = Type.Object({
  email: Type.String({ minLength: 1, maxLength: 254, examples: ['test@example.com'] }),
  password: currentPasswordSchema,
  deviceId: Type.Optional(deviceText('An identifier that the device chose for itself.', 'b2c5e1')),
  deviceName: Type.Optional(deviceText('Shown in the list of devices.', "Ada's phone")),
  deviceToken: Type.Optional(
    Type.String({
      maxLength: 200,
      description: 'From a sign-in with `rememberDevice`: the second factor is not asked for again.',
      examples: ['c3RvbmUtYW5kLXJpdmVyLWFuZC1icm9uemUtYW5kLW4'],
    }),
  ),
});

export type Credentials = Static<typeof credentialsSchema>;

export const tokensSchema = Type.Object(
  {
    user: userSchema,
    accessToken: accessTokenSchema('Sent as `Authorization: Bearer …`.'),
    refreshToken: opaqueTokenSchema('Exchanged once at `/refresh` for the next pair.'),
    expiresIn: Type.Integer({ description: 'Seconds until the access token expires.', examples: [900] }),
    tokenType: Type.Literal('Bearer'),
    token: accessTokenSchema('The access token once more, under the name that DevPortal clients read.'),
    deviceToken: Type.Optional(
      opaqueTokenSchema('Only where the device is to be remembered: sent along with the next sign-ins.'),
    ),
  },
  { title: 'Tokens' },
);

export type Tokens = Static<typeof tokensSchema>;

export const secondFactorNeededSchema = Type.Object(
  {
    twoFactorRequired: Type.Literal(true),
    challengeToken: opaqueTokenSchema('Sent back with the second factor, within `expiresIn` seconds.'),
    methods: Type.Array(Type.Enum(['totp', 'passkey', 'backup_code']), {
      description: 'What may be shown: a code of the app, a passkey, or a backup code.',
    }),
    expiresIn: Type.Integer({ examples: [600] }),
  },
  { title: 'SecondFactorNeeded' },
);

/** The answer to a sign-in: tokens, or what is still needed. */
export const signInAnswerSchema = Type.Union([tokensSchema, secondFactorNeededSchema]);

export const refreshSchema = Type.Object({ refreshToken: opaqueTokenSchema('The token to spend.') });

export const validateSchema = Type.Object({ token: accessTokenSchema('The access token to judge.') });

export const validationSchema = Type.Union([
  Type.Object({
    valid: Type.Literal(true),
    payload: Type.Object(
      {
        iss: Type.String({ examples: ['https://id.example.com'] }),
        sub: Type.String({ format: 'uuid', description: 'Id of the user.' }),
        aud: Type.String({ examples: ['https://id.example.com'] }),
        iat: Type.Integer({ examples: [1772366400] }),
        exp: Type.Integer({ examples: [1772367300] }),
        jti: Type.String({ format: 'uuid' }),
        sid: Type.String({ format: 'uuid', description: 'Id of the session.' }),
        email: Type.String({ examples: ['test@example.com'] }),
        role: Type.Enum(['user', 'admin']),
        client_id: Type.String({ examples: ['obol'] }),
        scope: Type.String({ examples: ['account'] }),
        act: Type.Optional(
          Type.Object(
            { sub: Type.String({ format: 'uuid' }) },
            { description: 'The administrator who looks at the account by this token (RFC 8693 §4.1).' },
          ),
        ),
      },
      { additionalProperties: true, description: 'The claims of the token.' },
    ),
  }),
  Type.Object({
    valid: Type.Literal(false),
    error: Type.String({ description: 'Why, as an error code.', examples: ['auth.token_invalid'] }),
  }),
]);

export type Validation = Static<typeof validationSchema>;

export const sessionSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    deviceId: nullable(Type.String({ examples: ['b2c5e1'] })),
    deviceName: nullable(Type.String({ examples: ["Ada's phone"] })),
    userAgent: nullable(Type.String({ examples: ['curl/8.5.0'] })),
    ipAddress: nullable(Type.String({ examples: ['192.0.2.1'] })),
    createdAt: time('When the device signed in.'),
    lastUsedAt: time('When it last refreshed its tokens.'),
    expiresAt: time('When it has to sign in again, whatever it refreshes.'),
    current: Type.Boolean({ description: 'Whether this is the device that asks.' }),
    impersonated: Type.Boolean({
      description: 'Whether an administrator looks at the account by it; it can be ended like any other.',
      examples: [false],
    }),
  },
  { title: 'Session' },
);

export type SessionView = Static<typeof sessionSchema>;

export const sessionsSchema = Type.Object({ sessions: Type.Array(sessionSchema) });

const impersonationSchema = Type.Object(
  {
    administratorId: Type.String({ format: 'uuid', description: 'Who looks at the account.' }),
    startedAt: time('Since when.'),
    endsAt: time('Until when, at the latest.'),
  },
  { description: 'For a banner that says whose account this is: an administrator looks at it.' },
);

export type Impersonation = Static<typeof impersonationSchema>;

export const meSessionSchema = Type.Object({
  user: userSchema,
  session: sessionSchema,
  impersonation: nullable(impersonationSchema),
});
export const sessionIdSchema = Type.Object({ id: Type.String({ format: 'uuid' }) });

export const doneSchema = Type.Object({
  success: Type.Literal(true),
  message: Type.String({ examples: ['You are signed out.'] }),
});
export const revokedSchema = Type.Object({
  success: Type.Literal(true),
  revoked: Type.Integer({ description: 'How many sessions were ended.', examples: [2] }),
});

export const securityEventsQuerySchema = Type.Object({
  ...pageQuery,
  cursor: Type.Optional(
    Type.String({
      format: 'uuid',
      description: 'From the `nextCursor` or `Link` of a page: what happened before its last event.',
    }),
  ),
});

export type SecurityEventsQuery = Static<typeof securityEventsQuerySchema>;

export const securityEventSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    type: Type.String({ examples: ['login.succeeded'] }),
    sessionId: nullable(Type.String({ format: 'uuid' })),
    ipAddress: nullable(Type.String({ examples: ['192.0.2.1'] })),
    userAgent: nullable(Type.String({ examples: ['curl/8.5.0'] })),
    details: Type.Object({}, { additionalProperties: true, examples: [{}] }),
    createdAt: time('When it happened.'),
  },
  { title: 'SecurityEvent' },
);

export type SecurityEventView = Static<typeof securityEventSchema>;

export const securityEventsSchema = Type.Object({
  events: Type.Array(securityEventSchema),
  total: Type.Integer({ description: 'How many there are in all.', examples: [1] }),
  nextCursor: nullable(
    Type.String({ format: 'uuid', description: 'The `cursor` of the next page; null on the last one.' }),
  ),
});

export type SecurityEvents = Static<typeof securityEventsSchema>;

/** What `/session-to-token` is sent; nothing, where the cookie says it all. */
export const shareSchema = Type.Union([
  Type.Object({
    code: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: 'One-time code.', examples: ['pQ1…'] }),
    ),
    codeVerifier: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9._~-]{43,128}$',
        description: 'Verifier of the challenge that the sign-in began with, if there was one.',
        examples: ['dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'],
      }),
    ),
  }),
  Type.Null(),
]);

export type Share = Static<typeof shareSchema> | undefined;

export const jwksSchema = Type.Object({
  keys: Type.Array(
    Type.Object({
      kty: Type.String({ examples: ['RSA'] }),
      n: Type.Optional(Type.String({ examples: ['ptH9DzY…'] })),
      e: Type.Optional(Type.String({ examples: ['AQAB'] })),
      crv: Type.Optional(Type.String({ examples: ['P-256'] })),
      x: Type.Optional(Type.String({ examples: ['f83OJ3D…'] })),
      y: Type.Optional(Type.String({ examples: ['x_FEzRu…'] })),
      kid: Type.String({ examples: ['hYZ-PGSn1ehjpfk4l12w1AZvkcKNdD3BAZyXjd6FkyU'] }),
      use: Type.String({ examples: ['sig'] }),
      alg: Type.String({ examples: ['RS256'] }),
    }),
  ),
});
