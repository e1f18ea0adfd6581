import { Type, type Static, type TSchema } from 'typebox';
import { currentPasswordSchema } from '../schemas.ts';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-03-01T12:00:00.000Z'] });

/** Six digits of an app, or a backup code. */
export const codeSchema = Type.String({
  minLength: 6,
  maxLength: 40,
  pattern: '^[0-9A-Za-z \\-]+$',
  description: 'Six digits of the app, or a backup code.',
  examples: ['123456'],
});

export const challengeTokenSchema = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'From the answer to the first factor.',
  examples: ['c3RvbmUtYW5kLXJpdmVyLWFuZC1icm9uemUtYW5kLW4'],
});

export const rememberDeviceSchema = Type.Boolean({
  description: 'Whether this device is not to be asked for the second factor for thirty days.',
  examples: [false],
});

export const codeBody = Type.Object({ code: codeSchema });
export const disableBody = Type.Object({ password: currentPasswordSchema, code: codeSchema });
export const verifyBody = Type.Object({
  challengeToken: challengeTokenSchema,
  code: codeSchema,
  rememberDevice: Type.Optional(rememberDeviceSchema),
});

export const setUpSchema = Type.Object(
  {
    secret: Type.String({
      description: 'For who cannot scan.',
      examples: ['JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'],
    }),
    otpauthUrl: Type.String({ examples: ['otpauth://totp/id.example.com:ada@example.com?secret=JBSWY3DP'] }),
    qrCode: Type.String({
      description: 'A PNG as a data URL.',
      examples: ['data:image/png;base64,iVBORw0K'],
    }),
  },
  { title: 'TotpSetUp' },
);

export const backupCodesSchema = Type.Object({
  backupCodes: Type.Array(Type.String({ examples: ['7k2m-x9qd-0w4r-p5th'] }), {
    description: 'Shown this once. Each works once, in place of a code.',
  }),
});

export const factorStatusSchema = Type.Object(
  {
    enabled: Type.Boolean({ description: 'Whether signing in takes a second factor.' }),
    methods: Type.Array(Type.Enum(['totp', 'passkey', 'backup_code'])),
    totp: Type.Boolean(),
    passkeys: Type.Integer({ examples: [1] }),
    backupCodesLeft: Type.Integer({ examples: [10] }),
    rememberedDevices: Type.Array(
      Type.Object({
        id: Type.String({ format: 'uuid' }),
        userAgent: nullable(Type.String({ examples: ['curl/8.5.0'] })),
        ipAddress: nullable(Type.String({ examples: ['192.0.2.1'] })),
        createdAt: time('When it was remembered.'),
        lastUsedAt: time('When it last went without the second factor.'),
        expiresAt: time('When it is asked again.'),
      }),
    ),
  },
  { title: 'SecondFactors' },
);

export type FactorStatus = Static<typeof factorStatusSchema>;

export const deviceParams = Type.Object({ id: Type.String({ format: 'uuid' }) });
export const forgottenSchema = Type.Object({
  success: Type.Literal(true),
  forgotten: Type.Integer({ examples: [1] }),
});
