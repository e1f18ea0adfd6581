import { Type, type Static, type TSchema } from 'typebox';
import { grantTypes, idTokenAlgorithms, tokenEndpointAuthMethods } from '../tables.ts';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const addressLengthMax = 2000;

const address = (description: string, example: string) =>
  nullable(Type.String({ minLength: 1, maxLength: addressLengthMax, description, examples: [example] }));

const addresses = (description: string, example: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: addressLengthMax }), {
    maxItems: 20,
    description,
    examples: [[example]],
  });

const keySetSchema = Type.Object(
  {
    keys: Type.Array(Type.Record(Type.String(), Type.Unknown()), {
      minItems: 1,
      maxItems: 10,
      examples: [
        [
          {
            kty: 'OKP',
            crv: 'Ed25519',
            kid: 'notes-1',
            x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
          },
        ],
      ],
    }),
  },
  { description: 'Its public keys, with which it signs what it sends: private_key_jwt, request objects.' },
);

const resourceFields = {
  identifier: Type.String({
    minLength: 1,
    maxLength: addressLengthMax,
    description: '`resource` of requests, `aud` of tokens. It belongs to one application.',
    examples: ['https://api.notes.example.com'],
  }),
  // The characters of RFC 6749 §3.3.
  scopes: Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,100}$' }), {
    maxItems: 100,
    description: 'The scopes that it knows; a token for it carries no others.',
    examples: [['notes:read', 'notes:write']],
  }),
  clients: Type.Array(Type.String({ minLength: 1, maxLength: addressLengthMax }), {
    maxItems: 100,
    description:
      'Client ids of the other applications that may call it in their own name, and exchange tokens for it.',
    examples: [['app_5f6c1c0e9d3b4a7c8e2f1a0b9c8d7e6f']],
  }),
};

const givenResourcesSchema = Type.Array(
  Type.Union([
    resourceFields.identifier,
    Type.Object({
      identifier: resourceFields.identifier,
      scopes: Type.Optional(resourceFields.scopes),
      clients: Type.Optional(resourceFields.clients),
    }),
  ]),
  {
    maxItems: 20,
    description:
      'The APIs that it protects, all of them. One that is no more than its identifier has no scopes.',
    examples: [[{ identifier: 'https://api.notes.example.com', scopes: ['notes:read', 'notes:write'] }]],
  },
);

/** An API that an application protects: the scopes it knows, and the clients that may call it themselves. */
export type ProtectedApi = Static<ReturnType<typeof Type.Object<typeof resourceFields>>>;

/** The settings of an application as an OAuth client, as they are shown. */
export const settingsFields = {
  type: Type.Enum(['confidential', 'public', 'native'], {
    description:
      '`confidential`: has a server that keeps a secret. `public`: a page in a browser. `native`: an installed app.',
  }),
  postLogoutRedirectUris: addresses(
    'Where people may return to after signing out; same rules as `redirectUris`.',
    'https://notes.example.com/goodbye',
  ),
  backchannelLogoutUri: address(
    'Where it is told by a logout token that somebody has signed out.',
    'https://notes.example.com/backchannel-logout',
  ),
  grantTypes: Type.Array(Type.Enum([...grantTypes]), {
    minItems: 1,
    maxItems: grantTypes.length,
    description: 'What it may ask tokens with; the last two only if it keeps a secret.',
    examples: [['authorization_code', 'refresh_token']],
  }),
  tokenEndpointAuthMethod: Type.Enum([...tokenEndpointAuthMethods], {
    description: 'How it identifies itself; `none` exactly when it cannot keep a secret.',
  }),
  jwks: nullable(keySetSchema),
  jwksUri: address('Where its public keys are, instead of `jwks`.', 'https://notes.example.com/jwks.json'),
  idTokenAlgorithm: Type.Enum([...idTokenAlgorithms], { description: 'What its ID tokens are signed with.' }),
  logoUri: address('Its picture, on the pages where people sign in.', 'https://notes.example.com/logo.png'),
  clientUri: address('Its home page.', 'https://notes.example.com/'),
  policyUri: address('What it does with data of people.', 'https://notes.example.com/privacy'),
  termsUri: address('Its terms of use.', 'https://notes.example.com/terms'),
  contacts: Type.Array(
    Type.String({
      maxLength: 254,
      pattern: '^[^\\s@]+@[^\\s@.]+(\\.[^\\s@.]+)+$',
      examples: ['ops@example.com'],
    }),
    { maxItems: 10, description: 'E-mail addresses of whoever runs it.', examples: [['ops@example.com']] },
  ),
  pkceRequired: Type.Boolean({
    description:
      'Whether each sign-in needs a code challenge; only confidential ones can do without, by `nonce`.',
    examples: [true],
  }),
  dpopBound: Type.Boolean({
    description: 'Whether its tokens must be bound to a key by DPoP.',
    examples: [false],
  }),
  requireSecondFactor: Type.Boolean({
    description:
      'Whether people sign in to it with a second factor only; those without are asked to set one up.',
    examples: [false],
  }),
  resources: Type.Array(Type.Object(resourceFields, { title: 'ProtectedApi' }), {
    description: 'The APIs that it protects.',
  }),
};

/** The same as a request names them: each may be absent. */
export const givenSettingsFields = {
  type: Type.Optional(settingsFields.type),
  postLogoutRedirectUris: Type.Optional(settingsFields.postLogoutRedirectUris),
  backchannelLogoutUri: Type.Optional(settingsFields.backchannelLogoutUri),
  grantTypes: Type.Optional(settingsFields.grantTypes),
  tokenEndpointAuthMethod: Type.Optional(settingsFields.tokenEndpointAuthMethod),
  jwks: Type.Optional(settingsFields.jwks),
  jwksUri: Type.Optional(settingsFields.jwksUri),
  idTokenAlgorithm: Type.Optional(settingsFields.idTokenAlgorithm),
  logoUri: Type.Optional(settingsFields.logoUri),
  clientUri: Type.Optional(settingsFields.clientUri),
  policyUri: Type.Optional(settingsFields.policyUri),
  termsUri: Type.Optional(settingsFields.termsUri),
  contacts: Type.Optional(settingsFields.contacts),
  pkceRequired: Type.Optional(settingsFields.pkceRequired),
  dpopBound: Type.Optional(settingsFields.dpopBound),
  requireSecondFactor: Type.Optional(settingsFields.requireSecondFactor),
  resources: Type.Optional(givenResourcesSchema),
};

export const givenSettingsSchema = Type.Object(givenSettingsFields);

/** The settings that a request names. */
export type GivenSettings = Static<typeof givenSettingsSchema>;
