import { Type, type Static } from 'typebox';
import { textPattern } from '../../applications/index.ts';
import { emailSchema, nameSchema } from '../../users/index.ts';

const text = (maxLength: number) => Type.Optional(Type.String({ maxLength }));

export const stepParamsSchema = Type.Object({ uid: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }) });
export const stepQuerySchema = Type.Object({ step: text(20), error: text(100) });
export const providerStepParamsSchema = Type.Object({
  uid: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
  provider: Type.String({ pattern: '^[a-z][a-z0-9]{0,31}$' }),
});
export const providerDoneQuerySchema = Type.Object({ code: Type.String({ maxLength: 100 }) });

/** Sent by the button that was pressed; every form has one that goes back. */
export const signInFormSchema = Type.Object({
  email: text(254),
  password: text(4096),
  decision: text(20),
  passkey: text(100_000),
});
export const secondFactorFormSchema = Type.Object({
  code: text(40),
  passkey: text(100_000),
  rememberDevice: text(10),
});

export type SecondFactorForm = Static<typeof secondFactorFormSchema>;

export const registerFormSchema = Type.Object({
  email: emailSchema,
  password: Type.String({ minLength: 1, maxLength: 4096 }),
  name: Type.Optional(Type.Union([nameSchema, Type.Literal('')])),
  proof: text(200),
});
export const consentFormSchema = Type.Object({
  decision: Type.String({ maxLength: 20 }),
  allowance: text(20),
  maxPerSpend: text(20),
});
export const decisionFormSchema = Type.Object({ decision: Type.String({ maxLength: 20 }) });
/** Browsers send a line break as two characters, and count it as one. */
export const requestAccessFormSchema = Type.Object({
  decision: Type.String({ maxLength: 20 }),
  message: Type.Optional(Type.String({ maxLength: 2000, pattern: textPattern })),
});

export type ConsentForm = Static<typeof consentFormSchema>;
