import { Type, type Static } from 'typebox';
import { emailSchema } from '../../users/index.ts';
import { amountSchema, balanceSchema, credits, id, keySchema, line, nullable, time } from '../schemas.ts';
import { kinds } from '../tables.ts';
import { teamRoles } from '../team-tables.ts';

const periods = ['day', 'week', 'month', 'total'] as const;
const nameSchema = line(100, { description: 'What the team is called.', examples: ['Research'] });
const roleSchema = Type.Enum([...teamRoles], {
  description: 'Owners decide who is what, admins invite members and set their limits, members spend.',
  examples: ['member'],
});
const periodSchema = Type.Enum([...periods], {
  default: 'month',
  description: 'The span that it is for: of the calendar in UTC, or `total` for all time.',
  examples: ['month'],
});
const limitShape = Type.Object(
  {
    allowance: {
      ...amountSchema,
      description: 'How many credits they may spend per period.',
      examples: [500],
    },
    period: periodSchema,
    kinds: Type.Array(Type.Enum([...kinds], { examples: ['free'] }), {
      minItems: 1,
      maxItems: 2,
      uniqueItems: true,
      default: [...kinds],
      description: 'Which credits they may spend.',
    }),
    maxPerSpend: Type.Optional({
      ...amountSchema,
      description: 'The most that one spend may cost.',
      examples: [50],
    }),
  },
  { description: 'What a member may spend.' },
);
/** Absent: owners and admins without a limit, members nothing. Null: without a limit. */
const limitSchema = Type.Optional(
  Type.Unsafe<Static<typeof limitShape> | null>({ ...limitShape, type: ['object', 'null'] }),
);

export const teamParamsSchema = Type.Object({ teamId: id('The team, and its wallet.') });
export const memberParamsSchema = Type.Object({
  teamId: id('The team.'),
  userId: id('The member.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d12'),
});
export const teamInvitationParamsSchema = Type.Object({
  teamId: id('The team.'),
  invitationId: id('The invitation.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d15'),
});
export const invitationParamsSchema = Type.Object({ invitationId: id('The invitation.') });

export const newTeamBodySchema = Type.Object({ name: nameSchema }, { description: 'A team.' });

export const invitationBodySchema = Type.Object(
  {
    email: emailSchema,
    role: Type.Enum([...teamRoles], { default: 'member', description: 'As what.', examples: ['member'] }),
    limit: limitSchema,
  },
  { description: 'Whom to ask, and what they may spend.' },
);

export const memberBodySchema = Type.Object(
  { role: Type.Optional(roleSchema), limit: limitSchema },
  { description: 'What shall change. A limit of null lifts it.' },
);

export const transferBodySchema = Type.Object(
  {
    amount: amountSchema,
    description: Type.Optional(line(500, { description: 'What for.', examples: ['For the team'] })),
    idempotencyKey: Type.Optional(keySchema),
  },
  { description: 'Credits to move into the team.' },
);

const memberLimitSchema = nullable(
  Type.Object(
    {
      allowance: credits('How many credits they may spend per period.', 500),
      period: Type.String({ description: '`day`, `week`, `month` or `total`.', examples: ['month'] }),
      kinds: Type.Array(Type.String({ examples: ['free'] }), { description: 'Which credits.' }),
      maxPerSpend: nullable(
        Type.Integer({ description: 'The most that one spend may cost.', examples: [50] }),
      ),
      used: credits('Spent of it in this period, holds included.', 120),
      remaining: credits('Left of it in this period.', 380),
      resetsAt: nullable(time('When the next period begins.', '2026-04-01T00:00:00.000Z')),
    },
    { description: 'What they may spend; null is without a limit.' },
  ),
);

const teamMembers = {
  id: id('The team, and its wallet: `walletId` where credits are spent.'),
  name: Type.String({ examples: ['Research'] }),
  role: Type.String({ description: 'What you are in it.', examples: ['owner'] }),
  available: credits('What the team has, less what holds have set aside.', 400),
  createdAt: time('When it was made.'),
};

export const teamSchema = Type.Object(teamMembers, { title: 'Team', description: 'A team that you are in.' });

export const teamDetailsSchema = Type.Object(
  {
    ...teamMembers,
    limit: memberLimitSchema,
    balance: Type.Omit(balanceSchema, ['dailyFreeCredits', 'nextDailyAt', 'scale']),
  },
  { title: 'TeamDetails', description: 'A team, with its wallet and what you may spend.' },
);

export const memberSchema = Type.Object(
  {
    userId: id('The member.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d12'),
    email: Type.String({ examples: ['ada@example.com'] }),
    name: nullable(Type.String({ examples: ['Ada'] })),
    role: roleSchema,
    limit: memberLimitSchema,
    joinedAt: time('Since when.'),
  },
  { title: 'Member', description: 'A person in a team.' },
);

const invitationMembers = {
  id: id('The invitation.'),
  teamId: id('The team.', '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d12'),
  role: roleSchema,
  createdAt: time('When it was sent.'),
  expiresAt: time('Until when it can be accepted.', '2026-03-15T12:00:00.000Z'),
};

export const invitationSchema = Type.Object(
  { ...invitationMembers, email: Type.String({ examples: ['ada@example.com'] }) },
  { title: 'Invitation', description: 'Somebody who has been asked, whether or not they have an account.' },
);

export const ownInvitationSchema = Type.Object(
  { ...invitationMembers, teamName: Type.String({ examples: ['Research'] }) },
  { title: 'OwnInvitation', description: 'A team that asks you.' },
);

export const acceptedSchema = Type.Object(
  { success: Type.Literal(true), teamId: id('The team that you are in now.') },
  { title: 'Accepted', description: 'You are a member.' },
);
export const doneSchema = Type.Object({ success: Type.Literal(true) }, { description: 'It is done.' });

export type MemberLimit = Static<typeof memberLimitSchema>;
export type LimitBody = Static<typeof limitShape> | null;
export type TeamView = Static<typeof teamSchema>;
export type TeamDetails = Static<typeof teamDetailsSchema>;
export type MemberView = Static<typeof memberSchema>;
export type InvitationView = Static<typeof invitationSchema>;
export type OwnInvitationView = Static<typeof ownInvitationSchema>;
