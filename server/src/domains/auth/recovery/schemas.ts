import { Type } from 'typebox';
import { emailSchema } from '../../users/index.ts';
import { doneSchema, tokensSchema } from '../schemas.ts';

const tokenSchema = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'The token of the link in the mail; it works once.',
  examples: ['q3Jm0sT1bX8yV5nZkP2cRrWfUuE7aHdGiLoK9vB4xYM'],
});

/**
 * The rules stand in assert-acceptable-password.ts, which says why it refuses; here is only what bounds the
 * work.
 */
const passwordSchema = Type.String({ minLength: 1, maxLength: 4096, examples: ['correct horse battery'] });

export const addressBody = Type.Object({ email: emailSchema });
export const tokenBody = Type.Object({ token: tokenSchema });
export const resetPasswordBody = Type.Object({ token: tokenSchema, newPassword: passwordSchema });
export const changePasswordBody = Type.Object({
  currentPassword: passwordSchema,
  newPassword: passwordSchema,
});

export const changedPasswordSchema = Type.Object({
  ...doneSchema.properties,
  ...tokensSchema.properties,
});

/** The answer of a call that has nothing to return. */
export function done(message: string): { success: true; message: string } {
  return { success: true, message };
}
