import { Type } from 'typebox';
import { denialReasonSchema } from '../access-requests/schemas.ts';

export const shownQuerySchema = Type.Object({ done: Type.Optional(Type.String({ maxLength: 10 })) });
export const decidedParamsSchema = Type.Object({ id: Type.String({ format: 'uuid' }) });
export const decisionFormSchema = Type.Object({
  decision: Type.Enum(['approve', 'deny']),
  role: Type.Optional(Type.String({ maxLength: 100 })),
  reason: Type.Optional(denialReasonSchema),
});
