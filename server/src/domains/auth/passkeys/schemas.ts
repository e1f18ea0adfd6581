import { Type, type Static } from 'typebox';
import { linePattern } from '../../../lib/line.ts';
import { challengeTokenSchema, rememberDeviceSchema } from '../factors/schemas.ts';

const encoded = (maxLength: number, description: string, example: string) =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: '^[A-Za-z0-9_\\-]+={0,2}$',
    description,
    examples: [example],
  });

const credentialId = encoded(1400, 'Id of the credential, base64url.', 'mV9q7hXN0sRk4bTzLw2JcA');
const clientData = encoded(8192, 'The `clientDataJSON`, base64url.', 'eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0');

/** `PublicKeyCredential.toJSON()` of what `navigator.credentials.get` gave. @see WebAuthn Level 3 §5.1.8 */
export const assertionSchema = Type.Object(
  {
    id: credentialId,
    rawId: credentialId,
    response: Type.Object({
      clientDataJSON: clientData,
      authenticatorData: encoded(8192, 'The authenticator data, base64url.', 'SZYN5YgOjGh0NBcPZHZgW4'),
      signature: encoded(8192, 'The signature, base64url.', 'MEUCIQDx'),
      userHandle: Type.Optional(
        Type.Union([
          Type.String({ maxLength: 200, description: 'Whose the passkey is.', examples: ['MDE5Y2E5ZjI'] }),
          Type.Null(),
        ]),
      ),
    }),
  },
  { title: 'PasskeyAnswer' },
);

/** The same of what `navigator.credentials.create` gave. */
export const registrationResponseSchema = Type.Object(
  {
    id: credentialId,
    rawId: credentialId,
    response: Type.Object({
      clientDataJSON: clientData,
      attestationObject: encoded(65_536, 'The attestation object, base64url.', 'o2NmbXRkbm9uZWdhdHRTdG10oA'),
      transports: Type.Optional(
        Type.Array(Type.String({ maxLength: 30, pattern: '^[a-z-]+$', examples: ['internal'] }), {
          maxItems: 10,
        }),
      ),
    }),
  },
  { title: 'PasskeyRegistration' },
);

export const passkeyNameSchema = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: linePattern,
  description: 'Shown in the list of passkeys.',
  examples: ["Ada's phone"],
});

const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-03-01T12:00:00.000Z'] });

export const passkeySchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    name: passkeyNameSchema,
    isBackedUp: Type.Boolean({ description: 'Whether it is kept beyond the one device.' }),
    createdAt: time('When it was registered.'),
    lastUsedAt: Type.Union([time('When it was used last.'), Type.Null()]),
  },
  { title: 'Passkey' },
);

export type PasskeyView = Static<typeof passkeySchema>;

export const passkeysSchema = Type.Object({ passkeys: Type.Array(passkeySchema) });
export const passkeyParams = Type.Object({ id: Type.String({ format: 'uuid' }) });
export const nameBody = Type.Object({ name: passkeyNameSchema });
export const registerBody = Type.Object({
  name: Type.Optional(passkeyNameSchema),
  response: registrationResponseSchema,
});
export const addedPasskeySchema = Type.Object({
  passkey: passkeySchema,
  backupCodes: Type.Optional(
    Type.Array(Type.String({ examples: ['7k2m-x9qd-0w4r-p5th'] }), {
      description: 'With the first second factor: shown this once, each works once in place of it.',
    }),
  ),
});
export const optionsBody = Type.Object({ challengeToken: Type.Optional(challengeTokenSchema) });
export const authenticateBody = Type.Object({
  challengeToken: Type.Optional(challengeTokenSchema),
  response: assertionSchema,
  rememberDevice: Type.Optional(rememberDeviceSchema),
});

/** Handed to `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` as it is. */
export const optionsSchema = Type.Object(
  { challenge: Type.String({ examples: ['SZYN5YgOjGh0NBcPZHZgW4'] }) },
  {
    additionalProperties: true,
    title: 'PasskeyOptions',
    description: 'As WebAuthn Level 3 has it, in JSON.',
  },
);
