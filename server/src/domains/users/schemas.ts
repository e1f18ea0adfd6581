import { Type, type Static, type TSchema } from 'typebox';
import { linePattern } from '../../lib/line.ts';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** No spaces, brackets, separators, control or invisible characters. */
const emailCharacter = '[^\\s@<>()\\[\\],;:"\\\\\\p{Cc}\\p{Cf}]';

/**
 * Anything@anything of such characters, without a dot at the end, so that two spellings of one mailbox are
 * not two accounts: whether mail arrives there is found out by mail.
 */
export const emailPattern = `^${emailCharacter}{1,64}@${emailCharacter}{0,188}(?!\\.)${emailCharacter}$`;

export const emailSchema = Type.String({
  pattern: emailPattern,
  maxLength: 254,
  description: 'E-mail address; compared without regard to case.',
  examples: ['test@example.com'],
});

export const nameSchema = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: linePattern,
  description: 'Display name.',
  examples: ['Test User'],
});

export const usernameSchema = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}$',
  description:
    'Unique name of letters, digits, dots, underscores and hyphens; compared without regard to case.',
  examples: ['alice'],
});

export const pictureSchema = Type.String({
  pattern: '^https?://[^\\s<>"\'\\\\\\p{Cc}]+$',
  maxLength: 2048,
  description: 'Address of a picture.',
  examples: ['https://example.com/alice.png'],
});

const timeSchema = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-03-01T12:00:00.000Z'] });

export const userSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid', examples: ['019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11'] }),
    email: Type.String({ examples: ['test@example.com'] }),
    emailVerified: Type.Boolean({ description: 'Whether the person has shown that the address is theirs.' }),
    name: nullable(Type.String({ examples: ['Test User'] })),
    username: nullable(Type.String({ examples: ['alice'] })),
    picture: nullable(Type.String({ examples: ['https://example.com/alice.png'] })),
    role: Type.Enum(['user', 'admin'], { description: 'Role in this service, not in an application.' }),
    credits: Type.Integer({
      description: 'Credits available to spend: free + paid − held.',
      examples: [150],
    }),
    subscriptionStatus: Type.String({ examples: ['none'] }),
    subscriptionTier: Type.String({ examples: ['free'] }),
    isActive: Type.Boolean({ description: 'False once the account is deactivated.' }),
    createdAt: timeSchema('When the account was made.'),
    updatedAt: timeSchema('When the profile was last changed.'),
  },
  { title: 'User', description: 'A person with an account.' },
);

/** A person as the API shows them. */
export type UserObject = Static<typeof userSchema>;

export const profileChangesSchema = Type.Object(
  {
    name: Type.Optional(nullable(nameSchema)),
    username: Type.Optional(nullable(usernameSchema)),
    picture: Type.Optional(nullable(pictureSchema)),
  },
  { description: 'What is absent stays as it is; null empties a field.' },
);

export type ProfileChanges = Static<typeof profileChangesSchema>;
