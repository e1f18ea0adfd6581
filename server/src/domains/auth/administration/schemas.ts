import { Type } from 'typebox';
import { reasonSchema } from '../../users/index.ts';
import { tokensSchema } from '../schemas.ts';

export const sessionOfUserSchema = Type.Object({
  userId: Type.String({ format: 'uuid' }),
  sessionId: Type.String({ format: 'uuid' }),
});

export const reasonBodySchema = Type.Object({ reason: reasonSchema });

/** As at a sign-in, without a refresh token: there is none. */
export const impersonationTokenSchema = Type.Object(
  {
    ...Type.Omit(tokensSchema, ['refreshToken', 'token']).properties,
    sessionId: Type.String({ format: 'uuid', description: 'The session that it ends with.' }),
  },
  { title: 'Impersonation' },
);
