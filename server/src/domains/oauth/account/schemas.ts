import { Type } from 'typebox';
import { nextCharactersMax } from '../../../http/pages/sign-in-url.ts';

const text = (maxLength: number) => Type.Optional(Type.String({ maxLength }));

/** Where to go on after signing in, see readNext. */
export const nextQuerySchema = Type.Object({
  next: text(nextCharactersMax),
  done: text(10),
  error: text(100),
});
export const providerParamsSchema = Type.Object({
  provider: Type.String({ pattern: '^[a-z][a-z0-9]{0,31}$' }),
});
export const appQuerySchema = Type.Object({ appId: Type.String({ minLength: 1, maxLength: 100 }) });
export const mandateParamsSchema = Type.Object({ mandateId: Type.String({ format: 'uuid' }) });
export const decisionSchema = Type.Object({ decision: Type.String({ maxLength: 20 }) });
export const budgetFormSchema = Type.Object({
  decision: Type.String({ maxLength: 20 }),
  allowance: text(20),
  maxPerSpend: text(20),
});
