import { Type } from 'typebox';

const text = (maxLength: number) => Type.Optional(Type.String({ maxLength }));

export const securityQuery = Type.Object({ next: text(400), done: text(40) });
export const stepUpForm = Type.Object({ password: text(4096), code: text(40), passkey: text(100_000) });
export const codeForm = Type.Object({ code: Type.String({ minLength: 1, maxLength: 40 }) });
export const removalForm = Type.Object({
  password: Type.String({ minLength: 1, maxLength: 1024 }),
  code: Type.String({ minLength: 1, maxLength: 40 }),
});
export const additionForm = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100 }),
  passkey: Type.String({ maxLength: 200_000 }),
});
export const passkeyParams = Type.Object({ id: Type.String({ format: 'uuid' }) });
