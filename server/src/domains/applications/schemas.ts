import { Type, type Static, type TSchema } from 'typebox';
import { givenSettingsFields, settingsFields } from './settings/schemas.ts';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = (description: string) => Type.String({ format: 'date-time', description });

/**
 * Nothing that cannot be seen, such as a change of direction, but for what joins the parts of letters and
 * emoji.
 */
export const nameSchema = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '^ *[^\\p{Cc}\\p{Cf}\\s](?:[^\\p{Cc}\\p{Cf}]|\\u200c|\\u200d)*$',
  description: 'What people read when they sign in.',
  examples: ['Notes'],
});

const redirectUriSchema = Type.String({
  minLength: 1,
  maxLength: 2000,
  description: 'Where people return to: https, http on this machine, or an address scheme of the app itself.',
  examples: ['https://notes.example.com/callback'],
});

const rolePattern = '^[a-z][a-z0-9_.:\\-]{0,49}$';

export const roleSchema = Type.String({
  pattern: rolePattern,
  description: 'A role in the application.',
  examples: ['editor'],
});

const rolesSchema = Type.Array(roleSchema, {
  maxItems: 50,
  description: 'The roles that members can have; `admin` is always one of them.',
  examples: [['admin', 'editor']],
});

const accessSchema = Type.Enum(['closed', 'open'], {
  description: '`closed`: members only. `open`: anybody, with the default role.',
});

const defaultRoleSchema = Type.String({
  pattern: rolePattern,
  description: 'The role of whoever comes in by themselves; never `admin`.',
  examples: ['editor'],
});

const redirectFields = {
  redirectUri: Type.Optional(redirectUriSchema),
  redirectUris: Type.Optional(
    Type.Array(redirectUriSchema, { maxItems: 20, examples: [['https://notes.example.com/callback']] }),
  ),
};

export const newApplicationSchema = Type.Object({
  name: nameSchema,
  ...redirectFields,
  roles: Type.Optional(rolesSchema),
  defaultRole: Type.Optional(defaultRoleSchema),
  access: Type.Optional(accessSchema),
  ...givenSettingsFields,
});

export type NewApplication = Static<typeof newApplicationSchema>;

export const applicationChangesSchema = Type.Object(
  {
    name: Type.Optional(nameSchema),
    ...redirectFields,
    roles: Type.Optional(rolesSchema),
    defaultRole: Type.Optional(defaultRoleSchema),
    access: Type.Optional(accessSchema),
    isActive: Type.Optional(
      Type.Boolean({ description: 'False: its credentials are refused from now on.', examples: [true] }),
    ),
    ...givenSettingsFields,
  },
  { description: 'What is absent stays as it is.' },
);

export type ApplicationChanges = Static<typeof applicationChangesSchema>;

const applicationFields = {
  id: Type.String({ format: 'uuid' }),
  clientId: Type.String({
    description: 'Public; also its `appId` in the ledger.',
    examples: ['app_5f6c1c0e9d3b4a7c8e2f1a0b9c8d7e6f'],
  }),
  name: nameSchema,
  access: accessSchema,
  redirectUri: nullable(redirectUriSchema),
  redirectUris: Type.Array(redirectUriSchema),
  roles: rolesSchema,
  defaultRole: defaultRoleSchema,
  isActive: Type.Boolean({ examples: [true] }),
  ...settingsFields,
  isVerified: Type.Boolean({
    description: 'Whether the operator knows who is behind it.',
    examples: [false],
  }),
  createdAt: time('When it was registered.'),
  updatedAt: time('When it was last changed.'),
};

const ownRoleSchema = Type.String({ description: 'Your role in it.', examples: ['admin'] });

const applicationObjectSchema = Type.Object(
  { ...applicationFields, role: ownRoleSchema },
  { title: 'Application' },
);

/** An application as the API shows it to a member. */
export type ApplicationObject = Static<typeof applicationObjectSchema>;

const clientSecretSchema = Type.String({
  description: 'Shown this once.',
  examples: ['obol_cs_Zk1vF0p8q7Xr2sT5uV9wY3aB6cD4eG8hJ1kL0mN2pQ4'],
});

/** An application, with its secret when it has just got one; null when it has just lost its secrets. */
export type ApplicationWithSecret = ApplicationObject & { clientSecret?: string | null };

export const applicationSchema = Type.Object({ application: applicationObjectSchema });
export const changedApplicationSchema = Type.Object({
  application: Type.Object(
    {
      ...applicationFields,
      role: ownRoleSchema,
      clientSecret: Type.Optional(
        nullable({ ...clientSecretSchema, description: 'Only when the change of its type brought one.' }),
      ),
    },
    { title: 'ChangedApplication' },
  ),
});
export const applicationSelfSchema = Type.Object({ application: Type.Object(applicationFields) });
export const applicationsSchema = Type.Object({ applications: Type.Array(applicationObjectSchema) });
export const createdApplicationSchema = Type.Object({
  application: Type.Object(
    { ...applicationFields, role: ownRoleSchema, clientSecret: nullable(clientSecretSchema) },
    { title: 'NewApplication', description: 'Applications that cannot keep a secret get none: null.' },
  ),
});

export const statsSchema = Type.Object({
  total: Type.Integer({ description: 'Applications that you can see.', examples: [3] }),
  active: Type.Integer({ description: 'Those that are switched on.', examples: [2] }),
  pending: Type.Integer({
    description: 'Open access requests to applications that you administer.',
    examples: [1],
  }),
});

const figuresSchema = Type.Object(
  {
    members: Type.Integer({ description: 'People with a role in it.', examples: [12] }),
    admins: Type.Integer({ description: 'Those who administer it.', examples: [2] }),
    pending: Type.Integer({ description: 'Open access requests.', examples: [1] }),
    signIns: Type.Integer({ description: 'Sign-ins on the last 30 days.', examples: [140] }),
    activeUsers: Type.Integer({ description: 'People who signed in on those.', examples: [9] }),
  },
  { title: 'ApplicationFigures' },
);

/** What the administrators of an application see of it in numbers. */
export type ApplicationFigures = Static<typeof figuresSchema>;

export const applicationStatsSchema = Type.Object({ stats: figuresSchema });
export const verificationSchema = Type.Object({ isVerified: Type.Boolean({ examples: [true] }) });

const overlapSecondsMax = 30 * 86_400;

export const rotationSchema = nullable(
  Type.Object({
    overlapSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: overlapSecondsMax,
        description: 'How long the secrets so far stay valid; a day unless said otherwise, 0 ends them now.',
        examples: [86_400],
      }),
    ),
  }),
);

export type Rotation = NonNullable<Static<typeof rotationSchema>>;

export const rotatedSecretSchema = Type.Object({
  clientId: applicationFields.clientId,
  clientSecret: clientSecretSchema,
  previousExpireAt: time('When the secrets so far end.'),
});

export type RotatedSecret = Static<typeof rotatedSecretSchema>;

const memberSchema = Type.Object(
  {
    userId: Type.String({ format: 'uuid' }),
    email: Type.String({ examples: ['test@example.com'] }),
    name: nullable(Type.String({ examples: ['Test User'] })),
    username: nullable(Type.String({ examples: ['alice'] })),
    role: roleSchema,
    createdAt: time('When they became a member.'),
  },
  { title: 'Member' },
);

/** A member as administrators of the application see them. */
export type Member = Static<typeof memberSchema>;

export const membersSchema = Type.Object({ users: Type.Array(memberSchema) });
export const memberAnswerSchema = Type.Object({ user: memberSchema });
export const memberChangeSchema = Type.Object({ role: roleSchema });

export const applicationIdSchema = Type.Object({ id: Type.String({ format: 'uuid' }) });
export const memberIdSchema = Type.Object({
  id: Type.String({ format: 'uuid' }),
  userId: Type.String({ format: 'uuid' }),
});
export const doneSchema = Type.Object({
  success: Type.Literal(true),
  message: Type.String({ examples: ['The application is deleted.'] }),
});
