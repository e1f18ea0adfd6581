import { Type, type Static } from 'typebox';
import { linePattern } from '../../../lib/line.ts';
import { personKeyScopes } from '../../../lib/scopes.ts';
import { keyParamsSchema } from '../schemas.ts';

const ticked = Type.Optional(Type.Literal('on'));
const [profile, read, spend] = personKeyScopes;

export const keysQuerySchema = Type.Object({ done: Type.Optional(Type.String({ maxLength: 20 })) });
export const revokedKeyParamsSchema = keyParamsSchema;
export const keyFormSchema = Type.Object({
  keyName: Type.String({ minLength: 1, maxLength: 100, pattern: linePattern }),
  lifetime: Type.Enum(['never', '30', '90', '365']),
  [`scope:${profile}` as const]: ticked,
  [`scope:${read}` as const]: ticked,
  [`scope:${spend}` as const]: ticked,
});

export type KeyForm = Static<typeof keyFormSchema>;
