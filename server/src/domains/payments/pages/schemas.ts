import { Type } from 'typebox';
import { linePattern } from '../../../lib/line.ts';

const text = (maxLength: number) => Type.Optional(Type.String({ maxLength }));
const provider = Type.Optional(Type.Enum(['stripe', 'paypal']));

/** What leads to the page: what is missing, what was just paid, and what was just done. */
export const creditsQuerySchema = Type.Object({
  need: text(20),
  purchase: text(40),
  subscription: text(40),
  cancelled: text(10),
  done: text(20),
});
export const packFormSchema = Type.Object({
  packageId: Type.String({ minLength: 1, maxLength: 100 }),
  key: Type.String({ pattern: '^[\\w-]{22}$' }),
  decision: provider,
  saveCard: Type.Optional(Type.Literal('on')),
});
export const planFormSchema = Type.Object({
  planId: Type.String({ minLength: 1, maxLength: 100 }),
  decision: provider,
});
export const purchaseParamsSchema = Type.Object({ purchaseId: Type.String({ format: 'uuid' }) });
export const refundFormSchema = Type.Object({
  reason: Type.String({ minLength: 1, maxLength: 500, pattern: linePattern }),
});
/** What a field for numbers sends; the form says it again with what is wrong. */
const number = Type.String({ maxLength: 20 });
export const topUpFormSchema = Type.Object({
  packageId: Type.String({ minLength: 1, maxLength: 100, pattern: linePattern }),
  threshold: number,
  monthlyCap: number,
});
